"""Traces straight from the simulator, one value a step, and the failures that were put in."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from argus_cascade.domain.topology import Topology
from argus_cli.cascades.truth import Incident
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_simulator.domain.faults import Fault, FaultKind, spread
from argus_simulator.domain.fleet import Fleet, make_fleet
from argus_simulator.domain.profiles import PROFILES
from argus_simulator.domain.simulation import Simulation
from argus_simulator.domain.world import METRICS

STEP_SECONDS, PER_DAY = 300, 288
START_S = 1_735_603_200.0
"""31 December 2024, a Tuesday, 00:00 UTC."""
LEFT_OUT = ("uptime_days", "cpu_idle_pct")
NAMES = (*(name for name in METRICS if name not in LEFT_OUT), "cpu_used_pct")
HARM = np.array([DEFAULT_CATALOGUE.get(name).harm for name in NAMES], np.float64)
FIRST_STEP = int(START_S // STEP_SECONDS)
FEWEST, MOST = 3, 20


@dataclass(frozen=True, slots=True)
class Trial:
    """A fleet, and the failures that spread in it. Steps are those of the trace."""

    fleet: Fleet
    faults: tuple[Fault, ...]
    incidents: tuple[Incident, ...]

    def profiles(self) -> dict[str, str]:
        """What each server is, as live forecasts tell."""
        return {name: self.fleet.profile_of(i).name for i, name in enumerate(self.fleet.names)}

    def topology(self) -> Topology:
        """Who uses whom."""
        names = self.fleet.names
        return Topology.of((names[edge.downstream], names[edge.upstream]) for edge in self.fleet.edges)


def healthy(servers: int, seed: int) -> Trial:
    """Nothing but everyday life."""
    return Trial(make_fleet(servers, seed), (), ())


def failing(servers: int, seed: int, first_day: int, days: int, weak: int | None = None) -> Trial:
    """A database fails once a day at any time, and those that use it follow, 3 to 20 servers in all.

    ``weak``: how many of the databases ever fail, None = any of them may.
    """
    fleet, rng, numbers = make_fleet(servers, seed), np.random.default_rng(seed), count()
    databases = np.flatnonzero(fleet.profile == next(i for i, p in enumerate(PROFILES) if p.name == "database"))
    if weak is not None:
        databases = rng.choice(databases, weak, replace=False)
    faults: list[Fault] = []
    incidents = []
    for day in range(first_day, first_day + days):
        begin_s = START_S + (day + rng.uniform(0, 0.8)) * 86_400
        hit = _spread(begin_s, databases, fleet, rng, numbers)
        faults += hit
        incidents.append(_incident(hit, fleet))
    return Trial(fleet, tuple(faults), tuple(incidents))


def values(trial: Trial, seed: int, days: int) -> Iterator[np.ndarray]:
    """(server, metric of `NAMES`) of each step, NaN = nothing was sent."""
    simulation = Simulation(trial.fleet, seed, START_S)
    simulation.strike(trial.faults)
    columns = [METRICS.index(name) for name in NAMES[:-1]]
    for step in range(days * PER_DAY):
        tick = simulation.tick(START_S + STEP_SECONDS * (step + 1))
        idle = tick.values[:, METRICS.index("cpu_idle_pct"), None]
        found = np.concatenate([tick.values[:, columns], 100 - idle], axis=1)
        found[tick.silent] = np.nan
        yield found


def _spread(
    begin_s: float, databases: np.ndarray, fleet: Fleet, rng: np.random.Generator, numbers: Iterator[int]
) -> list[Fault]:
    while True:
        end_s, server = begin_s + rng.uniform(1, 2.5) * 3600, int(rng.choice(databases))
        root = Fault(next(numbers), FaultKind.UPSTREAM_FAILURE, server, begin_s, end_s, 1.0)
        hit = [root, *spread(root, fleet, rng, numbers)]
        if FEWEST <= len(hit) <= MOST:
            return hit


def _incident(hit: list[Fault], fleet: Fleet) -> Incident:
    begins = {fleet.names[fault.server]: int(fault.begin_s // STEP_SECONDS) for fault in hit}
    end = max(fault.end_s for fault in hit)
    return Incident(begins, int(end // STEP_SECONDS), fleet.names[hit[0].server])
