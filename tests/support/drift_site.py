"""Drift as a real process on a site: weeks of forecasts in, events out."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
from argus_site import IngestProcess, Site, until
from cascade_site import TARGETS, environment

from argus_common.events import SCORED_LEADS, ForecastIssued, ForecastScore, ModelReference
from argus_common.levels import level_of
from argus_common.topics import DRIFT

STEP_SECONDS = 1800
HOUR = 3600 // STEP_SECONDS
FIRST = 5_785_632 // 6 // HOUR * HOUR
SERVERS = tuple(f"web{i}" for i in range(5))


def course(hours: int, changes: tuple[int, int] | None = None) -> Iterator[ForecastIssued]:
    """The forecasts of a fleet, of which four in five servers do otherwise within ``changes``, in hours."""
    chance = np.random.default_rng(3)
    begin, end = (changes[0] * HOUR, changes[1] * HOUR) if changes else (0, 0)
    for step in range(hours * HOUR):
        for i, server in enumerate(SERVERS):
            changed = begin <= step < end and i < len(SERVERS) - 1
            level = 50 + 10 * np.sin(step * 2 * np.pi / (24 * HOUR)) + (30 if changed else 0)
            yield _forecast(server, FIRST + step, level, chance, changed=changed)


def _forecast(server: str, step: int, level: float, chance: np.random.Generator, *, changed: bool) -> ForecastIssued:
    scores = [
        ForecastScore(
            target=target,
            lead=lead,
            pit=0.995 if changed else float(chance.uniform()),
            residual=0.0,
            pinball=(3.0 if changed else 1.0) * float(chance.uniform(0.8, 1.2)),
        )
        for target in TARGETS
        for lead in SCORED_LEADS
    ]
    return ForecastIssued(
        fleet="default",
        server=server,
        profile="web",
        origin=step,
        step_seconds=STEP_SECONDS,
        model=ModelReference(name="analog", version="1"),
        observed={target: float(level + chance.normal(0, 3)) for target in TARGETS},
        levels=(0.1, 0.5, 0.9),
        quantiles={},
        risk=5.0,
        level=level_of(5.0),
        scores=scores,
    )


def start_drift(site: Site) -> IngestProcess:
    """Start a replica and wait until it is ready."""
    told = environment(site, ARGUS_DRIFT_GROUP=site.kafka.topic_prefix + "drift", ARGUS_DRIFT_SETTLE="0.5")
    log = site.folder / f"drift{len(site.running)}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "argus_drift"], env=told, stdout=output, stderr=subprocess.STDOUT
        )
    replica = IngestProcess(process, int(told["ARGUS_OPS_PORT"]), log)
    site.running.append(replica)
    until(replica.ready, f"drift to be ready, see {log}")
    return replica


def drifts(site: Site) -> dict[str, list[bytes]]:
    """Everything on the drift topic: event id → the values told under it."""
    found: dict[str, list[bytes]] = {}
    for headers, value in asyncio.run(site.records(DRIFT.name)):
        found.setdefault(headers["ce_id"].decode(), []).append(value)
    return found
