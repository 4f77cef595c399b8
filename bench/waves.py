"""Waves of departures through made-up fleets, as surprises: what the rank of origins is measured by."""

from dataclasses import dataclass

import numpy as np

from argus_cascade.domain.origin import Departures
from argus_cascade.domain.tick import Floats
from argus_cascade.domain.topology import Topology

METRICS = 5
CALM_STEPS = 10
"""At least so many before the first onset."""
MISSING = 0.1


@dataclass(frozen=True, slots=True)
class Wave:
    """``departures`` of the members, in no order; ``origin`` began."""

    departures: Departures
    topology: Topology
    origin: str


def wave(seed: int, *, members: int | None = None, known: int | None = None, steps: int = 50) -> Wave:
    """A tree of members (3 to 20 by default), along whose edges departures pass with 1 to 6 steps of lag.

    Each departs in one to three of five metrics by 2 to 6 sigmas, half of them at once, half growing over 4 to 20
    steps, in noise that wanders; a tenth of the values is missing. The newest ``steps`` are told, of which the last
    ``known`` (0 to 11 by default) came after the last onset.
    """
    rng = np.random.default_rng(seed)
    count = members or int(rng.integers(3, 21))
    parent = [-1, *(int(rng.integers(max(0, i - 4), i)) for i in range(1, count))]
    onset = [0] * count
    for i in range(1, count):
        onset[i] = onset[parent[i]] + int(rng.integers(1, 7))
    after = max(onset) + 1 + (int(rng.integers(0, 12)) if known is None else known)
    begin = max(steps - after, CALM_STEPS)
    surprise = _noise(rng, begin + after, count)
    for i in range(count):
        surprise[:, i] += _departure(rng, np.arange(1.0, len(surprise) + 1) - begin - onset[i])
    surprise[rng.random(surprise.shape) < MISSING] = np.nan
    names = [f"s{number:03d}" for number in rng.permutation(count).tolist()]
    order = rng.permutation(count).tolist()
    topology = Topology.of((names[i], names[parent[i]]) for i in range(1, count))
    told = Departures.of_members([names[i] for i in order], surprise[-steps:, order], np.ones(METRICS))
    return Wave(told, topology, names[0])


def _noise(rng: np.random.Generator, steps: int, servers: int) -> Floats:
    """(step, server, metric) AR(1) of unit variance, its persistence between 0.2 and 0.7."""
    persistence = rng.uniform(0.2, 0.7)
    noise = rng.normal(size=(steps, servers, METRICS))
    for step in range(1, steps):
        noise[step] = persistence * noise[step - 1] + np.sqrt(1 - persistence**2) * noise[step]
    return noise


def _departure(rng: np.random.Generator, age: Floats) -> Floats:
    """(step, metric) of one server; ``age``: (step,) steps since its onset, 1 in the step of the onset."""
    rise = 1 if rng.random() < 0.5 else int(rng.integers(4, 21))
    size = np.zeros(METRICS)
    hit = rng.choice(METRICS, int(rng.integers(1, 4)), replace=False)
    size[hit] = rng.uniform(2, 6, len(hit))
    return np.clip(age / rise, 0.0, 1.0)[:, None] * size
