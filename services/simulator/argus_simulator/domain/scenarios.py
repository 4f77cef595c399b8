"""Scenarios: which faults begin, when it is switched to one and for as long as it lasts."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from argus_simulator.domain.faults import Fault, FaultKind, spread
from argus_simulator.domain.fleet import Doubles, Fleet
from argus_simulator.domain.profiles import PROFILES

HOUR = 3600.0
LENGTH = 1.6
"""How much longer a leak or a fill lasts than it takes to reach its limit."""
RAMP = 300 / HOUR
"""Hours until a leak or a fill has its full strength."""
REPLACED_AFTER = 0.25 * HOUR
"""How long it takes on average until another server wears out when one has recovered."""
CASCADE_EVERY = 8 * HOUR
"""Mean time between two cascades while the cascade scenario lasts."""


class Scenario(StrEnum):
    """What the fleet is going through."""

    HEALTHY = "healthy"
    DEGRADING = "degrading"
    CRITICAL = "critical"
    CASCADE = "cascade"


@dataclass(frozen=True, slots=True)
class Wear:
    """``share`` of the fleet is wearing out at any time; limits are reached ``hours`` (least, most) after it began."""

    share: float
    hours: tuple[float, float]

    def servers(self, fleet: Fleet) -> int:
        """``share`` in whole servers, one at least."""
        return max(1, round(self.share * len(fleet)))


WEAR = {Scenario.DEGRADING: Wear(0.15, (1.5, 6.0)), Scenario.CRITICAL: Wear(0.25, (0.4, 1.5))}


@dataclass(frozen=True, slots=True)
class Room:
    """(server,) percentage points of memory and disk that are left below the limit, so that a fault can be made to
    reach it at a chosen time; ``free``: servers that are and were well. ``troubled``: how many servers are not well.
    """

    memory: Doubles
    disk: Doubles
    free: npt.NDArray[np.int64]
    troubled: int


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything that decides about new faults besides the scenario. ``dt_s``: seconds since the last moment."""

    fleet: Fleet
    now_s: float
    dt_s: float
    rng: np.random.Generator
    numbers: Iterator[int]


def begin(scenario: Scenario, room: Room, at: Moment) -> list[Fault]:
    """The faults that begin when it is switched to ``scenario``."""
    if scenario in WEAR:
        return _wear_out(WEAR[scenario], WEAR[scenario].servers(at.fleet), room, at)
    return _cascade(room, at) if scenario is Scenario.CASCADE else []


def go_on(scenario: Scenario, room: Room, at: Moment) -> list[Fault]:
    """The faults that begin because ``scenario`` lasts: others wear out in place of servers that recovered, and
    cascades recur.
    """
    if scenario in WEAR:
        wear = WEAR[scenario]
        recovered = wear.servers(at.fleet) - room.troubled
        count = at.rng.binomial(max(recovered, 0), 1 - np.exp(-at.dt_s / REPLACED_AFTER))
        return _wear_out(wear, int(count), room, at)
    if scenario is Scenario.CASCADE and at.rng.random() < at.dt_s / CASCADE_EVERY:
        return _cascade(room, at)
    return []


def _wear_out(wear: Wear, count: int, room: Room, at: Moment) -> list[Fault]:
    """Leaks, fills and noisy neighbours on ``count`` servers that are well."""
    chosen = at.rng.choice(room.free, min(count, len(room.free)), replace=False)
    return [_wearing(wear, server, room, at) for server in chosen.tolist()]


def _wearing(wear: Wear, server: int, room: Room, at: Moment) -> Fault:
    number = next(at.numbers)
    kind = (FaultKind.MEMORY_LEAK, FaultKind.DISK_FILL, FaultKind.NOISY_NEIGHBOUR)[number % 3]
    until_limit = float(at.rng.uniform(*wear.hours))
    start = at.now_s + float(at.rng.uniform(0, 0.5)) * HOUR
    if kind is FaultKind.NOISY_NEIGHBOUR:
        ramp, size = until_limit * HOUR, float(at.rng.uniform(45, 75))
        return Fault(number, kind, server, start, start + 2.5 * ramp, size, ramp)
    left = float((room.memory if kind is FaultKind.MEMORY_LEAK else room.disk)[server])
    size = max(left / (until_limit - RAMP / 2), 1.0)
    return Fault(number, kind, server, start, start + LENGTH * until_limit * HOUR, size, RAMP * HOUR)


def _cascade(room: Room, at: Moment) -> list[Fault]:
    """One of the three databases that most servers use fails, and those that use it follow; none where all
    databases have their trouble already.
    """
    database = next(i for i, profile in enumerate(PROFILES) if profile.name == "database")
    candidates = room.free[at.fleet.profile[room.free] == database].tolist()
    if not candidates:
        return []
    most_used = sorted(candidates, key=lambda server: -len(at.fleet.dependents(server)))[:3]
    length = float(at.rng.uniform(1.0, 2.5)) * HOUR
    origin = int(at.rng.choice(most_used))
    root = Fault(next(at.numbers), FaultKind.UPSTREAM_FAILURE, origin, at.now_s, at.now_s + length, 1.0)
    return [root, *spread(root, at.fleet, at.rng, at.numbers)]


def everyday(at: Moment) -> list[Fault]:
    """What also happens to a healthy fleet: deployments, batch jobs, reboots; about one a server and week."""
    count = int(at.rng.poisson(len(at.fleet) * at.dt_s / (7 * 24 * HOUR)))
    return [_event(int(at.rng.integers(len(at.fleet))), int(at.rng.integers(10)), at) for _ in range(count)]


def _event(server: int, dice: int, at: Moment) -> Fault:
    number, now_s = next(at.numbers), at.now_s
    if dice < DEPLOYMENTS_IN_TEN:
        size = float(np.clip(at.rng.normal(0, 0.12), -0.3, 0.3))
        return Fault(number, FaultKind.DEPLOYMENT, server, now_s, now_s + 30 * 24 * HOUR, size, 60.0)
    if dice < DEPLOYMENTS_IN_TEN + BATCH_JOBS_IN_TEN:
        length, size = float(at.rng.uniform(0.5, 2)) * HOUR, float(at.rng.uniform(0.2, 0.6))
        return Fault(number, FaultKind.BATCH_JOB, server, now_s, now_s + length, size)
    return reboot(server, None, at)


def reboot(server: int, caused_by: int | None, at: Moment) -> Fault:
    """The server restarts now and is silent for two to five minutes."""
    length = float(at.rng.uniform(120, 300))
    return Fault(next(at.numbers), FaultKind.REBOOT, server, at.now_s, at.now_s + length, 1.0, caused_by=caused_by)


DEPLOYMENTS_IN_TEN, BATCH_JOBS_IN_TEN = 3, 6
"""Of ten events of an ordinary day; the rest are reboots."""
