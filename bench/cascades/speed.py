"""How long one tick takes, in a fleet of which one server in a hundred is abnormal and two cascades are open."""

from time import process_time

import numpy as np

from argus_cascade.domain.detector import CascadeDetector, DetectorSettings
from argus_cascade.domain.tick import WITHIN_MINUTES, FleetTick
from argus_cascade.domain.topology import Topology

TARGETS = ("cpu_used_pct", "cpu_iowait_pct", "mem_used_pct", "swap_used_pct", "disk_usage_pct")
LEADS = (1, 12, 96)
CALM, MEASURED = 40, 24
SPREADING = 20
"""Members of each of two cascades."""


def milliseconds(servers: int) -> float:
    """The median of the ticks after trouble began, in CPU time of the one thread: others use this machine too."""
    rng = np.random.default_rng(servers)
    names = tuple(f"server{number:05d}" for number in range(servers))
    uses = rng.integers(0, servers // 10, (servers, 2))
    chains = [(at + i + 1, at + i) for at in (0, servers // 2) for i in range(SPREADING)]
    edges = [(names[i], names[j]) for i, pair in enumerate(uses.tolist()) for j in pair]
    topology = Topology.of(edges + [(names[i], names[j]) for i, j in chains])
    detector, spans = CascadeDetector(DetectorSettings(), topology), []
    for step in range(CALM + MEASURED):
        tick = _tick(step, names, _pit(rng, servers, step))
        began = process_time()
        detector.tick(tick)
        spans.append(process_time() - began)
    return 1000 * float(np.median(spans[CALM:]))


def _pit(rng: np.random.Generator, servers: int, step: int) -> np.ndarray:
    pit = rng.uniform(size=(servers, len(TARGETS), len(LEADS)))
    if step >= CALM:
        hit = rng.choice(servers, servers // 100, replace=False)
        pit[hit, 0] = 1 - 1e-7
        for at in (0, servers // 2):
            pit[at : at + min(step - CALM + 1, SPREADING), 1] = 1 - 1e-7
    return pit


def _tick(step: int, names: tuple[str, ...], pit: np.ndarray) -> FleetTick:
    servers, targets = len(names), len(TARGETS)
    return FleetTick(
        "default", 1_000_000 + step, 300, names, ("generic",) * servers, TARGETS, np.ones(targets), np.zeros(targets), LEADS, pit,
        np.zeros_like(pit), np.full((servers, targets), 50.0), np.zeros((servers, targets, len(WITHIN_MINUTES))),
        np.full((servers, targets, 3), np.inf), np.zeros(servers),
    )  # fmt: skip
