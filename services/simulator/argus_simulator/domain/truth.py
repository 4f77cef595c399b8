"""The ground truth: what happened, where, when, because of what. Never part of the metrics."""

from dataclasses import asdict, dataclass
from typing import Any

from argus_simulator.domain.faults import Fault
from argus_simulator.domain.fleet import Fleet


@dataclass(frozen=True, slots=True)
class FaultTruth:
    """A fault began. Times are event time in epoch seconds; ``caused_by`` is the number of another fault."""

    number: int
    kind: str
    server: str
    profile: str
    begin_s: float
    end_s: float
    size: float
    caused_by: int | None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A fault ended before its time, or never began: the scenario was switched to healthy."""

    number: int
    kind: str
    server: str
    time_s: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """A limit of the metric catalogue (of this server's profile) was crossed (``beyond``) or left again."""

    server: str
    metric: str
    limit: float
    value: float
    time_s: float
    beyond: bool


Truth = FaultTruth | Cancelled | Crossing


def fault_truth(fault: Fault, fleet: Fleet) -> FaultTruth:
    """The truth about a fault, with names for numbers."""
    return FaultTruth(
        fault.number,
        fault.kind.value,
        fleet.names[fault.server],
        fleet.profile_of(fault.server).name,
        round(fault.begin_s, 3),
        round(fault.end_s, 3),
        round(fault.size, 3),
        fault.caused_by,
    )


def cancelled(fault: Fault, fleet: Fleet, now_s: float) -> Cancelled:
    """The truth about a fault that is over before its time."""
    return Cancelled(fault.number, fault.kind.value, fleet.names[fault.server], now_s)


def document(truth: Truth) -> dict[str, Any]:
    """A truth as it is published."""
    return {"what": _WHAT[type(truth)], **asdict(truth)}


_WHAT: dict[type[Truth], str] = {FaultTruth: "fault", Cancelled: "cancelled", Crossing: "crossing"}
