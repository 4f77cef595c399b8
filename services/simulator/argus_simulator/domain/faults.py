"""What can go wrong, when, where and because of what; and its pressure on the fleet at a moment."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from argus_simulator.domain.fleet import Doubles, Fleet


class FaultKind(StrEnum):
    """Kinds of trouble. ``DEPLOYMENT`` and ``BATCH_JOB`` are not faults, but change what is usual."""

    MEMORY_LEAK = "memory_leak"
    DISK_FILL = "disk_fill"
    NOISY_NEIGHBOUR = "noisy_neighbour"
    UPSTREAM_FAILURE = "upstream_failure"
    DEPENDENCY_FAILURE = "dependency_failure"
    REBOOT = "reboot"
    DEPLOYMENT = "deployment"
    BATCH_JOB = "batch_job"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that happens to one server in ``[begin_s, end_s)`` of event time.

    ``size`` means: percentage points an hour for leaks and fills; points of CPU for a noisy neighbour; share of
    demand added for a deployment or a batch job; 0 … 1 for a failure. A server that reboots is silent until the end.
    """

    number: int
    kind: FaultKind
    server: int
    begin_s: float
    end_s: float
    size: float
    ramp_s: float = 600.0
    starves: bool = False
    caused_by: int | None = None

    def intensity(self, now_s: float) -> float:
        """0 … 1: ramps up after the beginning, and down again before the end."""
        if not self.begin_s <= now_s < self.end_s:
            return 0.0
        return min(1.0, (now_s - self.begin_s) / self.ramp_s, (self.end_s - now_s) / self.ramp_s)


@dataclass(slots=True)
class Pressure:
    """What faults do at a moment; (server,) each."""

    leak_per_hour: Doubles
    fill_per_hour: Doubles
    stolen_cpu: Doubles
    extra_demand: Doubles
    failing: Doubles
    piling_up: Doubles
    starving: Doubles
    rebooting: npt.NDArray[np.bool_]


def pressure(faults: Iterable[Fault], servers: int, now_s: float) -> Pressure:
    """The sum of all faults that act at ``now_s``."""

    def nothing() -> Doubles:
        return np.zeros(servers)

    found = Pressure(
        nothing(), nothing(), nothing(), nothing(), nothing(), nothing(), nothing(), np.zeros(servers, np.bool_)
    )
    for fault in faults:
        at, strength = fault.server, fault.intensity(now_s) * fault.size
        if fault.kind is FaultKind.REBOOT:
            found.rebooting[at] |= fault.begin_s <= now_s < fault.end_s
        elif fault.kind is FaultKind.MEMORY_LEAK:
            found.leak_per_hour[at] += strength
        elif fault.kind is FaultKind.DISK_FILL:
            found.fill_per_hour[at] += strength
        elif fault.kind is FaultKind.NOISY_NEIGHBOUR:
            found.stolen_cpu[at] += strength
        elif fault.kind is FaultKind.UPSTREAM_FAILURE:
            found.failing[at] = max(found.failing[at], strength)
        elif fault.kind is FaultKind.DEPENDENCY_FAILURE:
            target = found.starving if fault.starves else found.piling_up
            target[at] = max(target[at], strength)
        else:
            found.extra_demand[at] += strength
    return found


def spread(root: Fault, fleet: Fleet, rng: np.random.Generator, numbers: Iterator[int]) -> Iterator[Fault]:
    """The failures that ``root`` causes along the dependencies: each later than its cause, weaker, and for as long."""
    wave, hit = [root], {root.server}
    while wave:
        following: list[Fault] = []
        for cause in wave:
            for edge in fleet.dependents(cause.server):
                size = cause.size * edge.strength
                lag = float(rng.uniform(300, 1800))
                if edge.downstream in hit or size < MINIMUM_EFFECT or rng.random() > size:
                    continue
                hit.add(edge.downstream)
                following.append(
                    Fault(next(numbers), FaultKind.DEPENDENCY_FAILURE, edge.downstream, cause.begin_s + lag,
                          cause.end_s + lag / 2, size, 600.0, edge.starves, cause.number)
                )  # fmt: skip
        yield from following
        wave = following


MINIMUM_EFFECT = 0.3
"""A weaker failure is absorbed and does not spread."""
