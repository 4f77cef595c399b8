"""When somebody works on a server, or on a whole fleet."""

from dataclasses import dataclass, field

from argus_common.events import MaintenanceScheduled


@dataclass(slots=True)
class MaintenanceSpans:
    """Folds commands in. Hearing one twice changes nothing."""

    _spans: dict[tuple[str, str | None], set[tuple[int, int]]] = field(default_factory=dict)

    def add(self, command: MaintenanceScheduled) -> None:
        """Remember a command."""
        self._spans.setdefault((command.fleet, command.server), set()).add((command.start_ms, command.end_ms))

    def any(self) -> bool:
        """Whether anything was told at all."""
        return bool(self._spans)

    def worked_on(self, fleet: str, server: str, at_ms: int) -> bool:
        """Whether somebody works on this server, or on its whole fleet, at this event time.

        >>> spans = MaintenanceSpans()
        >>> spans.add(MaintenanceScheduled(fleet="eu", start_ms=1000, end_ms=2000))
        >>> spans.worked_on("eu", "web1", 1000), spans.worked_on("eu", "web1", 2000)
        (True, False)
        """
        spans = (*self._spans.get((fleet, server), ()), *self._spans.get((fleet, None), ()))
        return any(start <= at_ms < end for start, end in spans)
