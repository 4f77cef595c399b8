"""Events of alerts folded into what stands and what has ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from argus_common.events import AlertEvent, BreachEnded, BreachExpected, BreachUpdated, StandingAlert

KINDS: Sequence[type[BreachExpected | BreachUpdated | BreachEnded]] = (BreachExpected, BreachUpdated, BreachEnded)

STALE_SECONDS = 2 * 3600
"""A standing alert is told again every hour; after twice as long without, its end was lost or nobody forecasts."""


@dataclass(slots=True)
class Board:
    """Takes events in any order between alerts, in order within one. Taking an event twice changes nothing."""

    standing: dict[str, StandingAlert] = field(default_factory=dict)
    ended: dict[str, BreachEnded] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    """Fleet → newest event time, seconds since the epoch."""

    def add(self, event: AlertEvent) -> bool:
        """Whether the event said anything new."""
        known = self.standing.get(event.alert)
        if event.alert in self.ended or (known is not None and known.sequence >= event.sequence):
            return False
        end = (event.origin + 1) * event.step_seconds
        self.newest[event.fleet] = max(end, self.newest.get(event.fleet, 0))
        if isinstance(event, BreachEnded):
            self.standing.pop(event.alert, None)
            self.ended[event.alert] = event
        elif isinstance(event, StandingAlert):
            self._replace(event)
        return True

    def _replace(self, event: StandingAlert) -> None:
        """A limit has one alert at a time: an older one of the same limit has lost its end."""
        same = [
            alert
            for alert, other in self.standing.items()
            if (other.fleet, other.server, other.target) == (event.fleet, event.server, event.target)
        ]
        for alert in same:
            del self.standing[alert]
        self.standing[event.alert] = event

    def soonest(self) -> list[StandingAlert]:
        """What stands: crossed limits, then the soonest crossing; what nobody speaks of any more comes last."""
        return sorted(self.standing.values(), key=lambda one: (self.stale(one), *_urgency(one)))

    def stale(self, alert: StandingAlert) -> bool:
        """Whether nothing was heard of a standing alert for too long, by the event time of its fleet."""
        return self.newest.get(alert.fleet, 0) - (alert.origin + 1) * alert.step_seconds > STALE_SECONDS

    def find(self, text: str) -> list[StandingAlert]:
        """Standing alerts with this id, or of this server, or of this ``server/target``."""
        names = {alert: (one.server, f"{one.server}/{one.target}", alert) for alert, one in self.standing.items()}
        return [one for alert, one in self.standing.items() if text in names[alert]]

    def last_ended(self, count: int) -> list[BreachEnded]:
        """The newest ends, newest first."""
        return sorted(self.ended.values(), key=lambda one: -(one.origin + 1) * one.step_seconds)[:count]

    def ledger(self) -> "Ledger":
        """How good the alerts were."""
        outcomes = [event.outcome for event in self.ended.values()]
        leads = [e.lead_time_seconds for e in self.ended.values() if e.lead_time_seconds is not None]
        counts = {name: outcomes.count(name) for name in ("hit", "late", "false", "mitigated", "unknown")}
        return Ledger(counts, median(leads) if leads else None)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Alerts that ended, by outcome, and how long before the crossing hits were told."""

    counts: dict[str, int]
    median_lead_seconds: float | None

    def precision(self) -> float | None:
        """Hits of hits and false alarms."""
        return _share(self.counts["hit"], self.counts["false"])

    def recall(self) -> float | None:
        """Hits of hits and late alerts."""
        return _share(self.counts["hit"], self.counts["late"])


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None


def _urgency(alert: StandingAlert) -> tuple[float, float, float]:
    if alert.phase == "breached":
        return 0.0, -alert.risk, 0.0
    times = alert.time_to_threshold
    soonest = times.p50 if times.p50 is not None else times.p90 if times.p90 is not None else float("inf")
    return 1.0, soonest, -max(alert.probability.values(), default=0.0)
