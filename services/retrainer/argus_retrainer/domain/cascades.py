"""Which cascades are open, as the cascades topic tells it."""

from dataclasses import dataclass, field

SILENT_MS = 24 * 3_600_000
"""An open cascade is told of again and again; one that nobody spoke of for so long is nobody's any more."""


@dataclass(slots=True)
class OpenCascades:
    """Folds events in; hearing one twice changes nothing."""

    _heard: dict[str, int] = field(default_factory=dict)

    def stands(self, cascade: str, told_ms: int) -> None:
        """It was opened, or something about it changed."""
        self._heard[cascade] = max(told_ms, self._heard.get(cascade, 0))

    def resolved(self, cascade: str) -> None:
        """It is over."""
        self._heard.pop(cascade, None)

    def open(self, now_ms: int) -> tuple[str, ...]:
        """Their ids."""
        return tuple(sorted(name for name, told in self._heard.items() if now_ms - told < SILENT_MS))
