"""What people have told: alerts that someone acts on, and servers that somebody works on."""

from dataclasses import dataclass, field

from argus_common.events import BreachMitigated, MaintenanceScheduled
from argus_common.maintenance import MaintenanceSpans

KEPT_ALERTS = 100_000
"""Acknowledged alerts that are remembered, the newest; more than a week of commands ever holds."""


@dataclass(slots=True)
class Mitigations:
    """Folds commands in. Hearing one twice changes nothing."""

    _alerts: dict[str, None] = field(default_factory=dict)
    _maintenance: MaintenanceSpans = field(default_factory=MaintenanceSpans)

    def add(self, command: BreachMitigated | MaintenanceScheduled) -> None:
        """Remember a command."""
        if isinstance(command, MaintenanceScheduled):
            self._maintenance.add(command)
            return
        self._alerts[command.alert] = None
        while len(self._alerts) > KEPT_ALERTS:
            del self._alerts[next(iter(self._alerts))]

    def any(self) -> bool:
        """Whether anything was told at all."""
        return bool(self._alerts) or self._maintenance.any()

    def acted_on(self, alert: str) -> bool:
        """Whether someone acts on this alert."""
        return alert in self._alerts

    def worked_on(self, fleet: str, server: str, at_ms: int) -> bool:
        """Whether somebody works on this server, or on its whole fleet, at this event time."""
        return self._maintenance.worked_on(fleet, server, at_ms)
