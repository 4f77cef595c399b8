"""Scenarios: which faults begin, at switching and from then on."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from argus_simulator.domain.faults import Fault, FaultKind, spread
from argus_simulator.domain.fleet import Doubles, Fleet
from argus_simulator.domain.profiles import PROFILES

HOUR = 3600.0


class Scenario(StrEnum):
    """What the fleet is going through."""

    HEALTHY = "healthy"
    DEGRADING = "degrading"
    CRITICAL = "critical"
    CASCADE = "cascade"


@dataclass(frozen=True, slots=True)
class Level:
    """``value`` of each resource now, so that a fault can be made to reach its limit at a chosen time."""

    memory: Doubles
    disk: Doubles


def begin(
    scenario: Scenario, fleet: Fleet, levels: Level, now_s: float, rng: np.random.Generator, first_number: int
) -> list[Fault]:
    """The faults that begin when the scenario is switched to ``scenario``."""
    plans: dict[Scenario, Callable[[], list[Fault]]] = {
        Scenario.HEALTHY: list,
        Scenario.DEGRADING: lambda: _wearing_out(fleet, levels, now_s, rng, first_number, 0.15, (1.5, 6.0)),
        Scenario.CRITICAL: lambda: _wearing_out(fleet, levels, now_s, rng, first_number, 0.25, (0.4, 1.5)),
        Scenario.CASCADE: lambda: _cascade(fleet, now_s, rng, first_number),
    }
    return plans[scenario]()


def _wearing_out(
    fleet: Fleet,
    levels: Level,
    now_s: float,
    rng: np.random.Generator,
    first_number: int,
    share: float,
    hours: tuple[float, float],
) -> list[Fault]:
    """Leaks, fills and noisy neighbours on a share of the fleet; limits are reached after ``hours``."""
    chosen = rng.choice(len(fleet), max(1, round(share * len(fleet))), replace=False)
    faults = []
    for number, server in enumerate(chosen.tolist(), start=first_number):
        kind = (FaultKind.MEMORY_LEAK, FaultKind.DISK_FILL, FaultKind.NOISY_NEIGHBOUR)[number % 3]
        until_limit = float(rng.uniform(*hours))
        start = now_s + float(rng.uniform(0, 0.5)) * HOUR
        size = {
            FaultKind.MEMORY_LEAK: (99.0 - float(levels.memory[server])) / until_limit,
            FaultKind.DISK_FILL: (92.0 - float(levels.disk[server])) / until_limit,
            FaultKind.NOISY_NEIGHBOUR: float(rng.uniform(45, 75)),
        }[kind]
        ramp = until_limit * HOUR if kind is FaultKind.NOISY_NEIGHBOUR else 300.0
        length = until_limit * HOUR * (2.5 if kind is FaultKind.NOISY_NEIGHBOUR else 1.6)
        faults.append(Fault(number, kind, server, start, start + length, max(size, 1.0), ramp))
    return faults


def _cascade(fleet: Fleet, now_s: float, rng: np.random.Generator, first_number: int) -> list[Fault]:
    """The database that most servers use fails, and those that use it follow."""
    database = next(i for i, profile in enumerate(PROFILES) if profile.name == "database")
    origin = max(np.flatnonzero(fleet.profile == database).tolist(), key=lambda server: len(fleet.dependents(server)))
    length = float(rng.uniform(1.0, 2.5)) * HOUR
    root = Fault(first_number, FaultKind.UPSTREAM_FAILURE, origin, now_s, now_s + length, 1.0)
    return [root, *spread(root, fleet, rng, first_number + 1)]


def everyday(fleet: Fleet, now_s: float, dt_s: float, rng: np.random.Generator, first_number: int) -> list[Fault]:
    """What also happens to a healthy fleet: deployments, batch jobs at night, reboots; about one a server and week."""
    per_second = len(fleet) / (7 * 24 * HOUR)
    found: list[Fault] = []
    for _ in range(int(rng.poisson(per_second * dt_s))):
        server, kind = int(rng.integers(len(fleet))), int(rng.integers(10))
        number = first_number + len(found)
        if kind < 3:
            size = float(rng.normal(0, 0.12))
            found.append(Fault(number, FaultKind.DEPLOYMENT, server, now_s, now_s + 30 * 24 * HOUR, size, 60.0))
        elif kind < 9:
            length = float(rng.uniform(0.5, 2)) * HOUR
            found.append(
                Fault(number, FaultKind.BATCH_JOB, server, now_s, now_s + length, float(rng.uniform(0.2, 0.6)))
            )
        else:
            found.append(Fault(number, FaultKind.REBOOT, server, now_s, now_s + 300.0, 1.0))
    return found
