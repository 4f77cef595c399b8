"""What people have told: alerts that someone acts on, and servers that somebody works on."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from argus_common.events import BreachMitigated, MaintenanceScheduled

KEPT_ALERTS = 100_000
"""Acknowledged alerts that are remembered, the newest; more than a week of commands ever holds."""


@dataclass(slots=True)
class Mitigations:
    """Folds commands in. Hearing one twice changes nothing."""

    _alerts: dict[str, None] = field(default_factory=dict)
    _maintenance: dict[tuple[str, str | None], set[tuple[int, int]]] = field(default_factory=dict)

    def add(self, command: BreachMitigated | MaintenanceScheduled) -> None:
        """Remember a command."""
        if isinstance(command, MaintenanceScheduled):
            spans = self._maintenance.setdefault((command.fleet, command.server), set())
            spans.add((command.start_ms, command.end_ms))
            return
        self._alerts[command.alert] = None
        while len(self._alerts) > KEPT_ALERTS:
            del self._alerts[next(iter(self._alerts))]

    def any(self) -> bool:
        """Whether anything was told at all."""
        return bool(self._alerts or self._maintenance)

    def acted_on(self, alert: str) -> bool:
        """Whether someone acts on this alert."""
        return alert in self._alerts

    def worked_on(self, fleet: str, server: str, at_ms: int) -> bool:
        """Whether somebody works on this server, or on its whole fleet, at this event time."""
        spans: Iterable[tuple[int, int]] = (
            *self._maintenance.get((fleet, server), ()),
            *self._maintenance.get((fleet, None), ()),
        )
        return any(start <= at_ms < end for start, end in spans)
