"""Spans that nothing may be learned from: maintenance, and breaches that somebody prevented."""

from dataclasses import dataclass, field

from argus_common.events import BreachEnded, BreachMitigated, MaintenanceScheduled

ALERT_PARTS = 6
"""fleet/server/target/direction/step length/since; see `argus_common.events.alert_id`."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """``[begin_ms, end_ms)`` of a server, event time; of all servers of the fleet where ``server`` is empty."""

    fleet: str
    server: str
    begin_ms: int
    end_ms: int


@dataclass(slots=True)
class Spans:
    """Folds commands and ends of alerts in; hearing one twice changes nothing."""

    _spans: set[Span] = field(default_factory=set)

    def add(self, event: MaintenanceScheduled | BreachMitigated | BreachEnded) -> None:
        """Maintenance as it was told; a mitigated alert from its raising to its end."""
        span = _span(event)
        if span is not None:
            self._spans.add(span)

    def all(self) -> set[Span]:
        """Every span that was heard of."""
        return set(self._spans)


def _span(event: MaintenanceScheduled | BreachMitigated | BreachEnded) -> Span | None:
    if isinstance(event, MaintenanceScheduled):
        return Span(event.fleet, event.server or "", event.start_ms, event.end_ms)
    if isinstance(event, BreachEnded):
        step_ms = event.step_seconds * 1000
        span = Span(event.fleet, event.server, event.since * step_ms, (event.origin + 1) * step_ms)
        return span if event.outcome == "mitigated" else None
    return _of_command(event)


def _of_command(event: BreachMitigated) -> Span | None:
    parts = event.alert.split("/")
    if len(parts) != ALERT_PARTS or not (parts[4].isdecimal() and parts[5].isdecimal()):
        return None
    step_ms, since = int(parts[4]) * 1000, int(parts[5])
    begin, end = since * step_ms, event.requested_ms + step_ms
    return Span(parts[0], parts[1], begin, end) if begin < end else None
