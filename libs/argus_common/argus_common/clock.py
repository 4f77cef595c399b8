"""Wall clock behind a protocol, so that tests turn it by hand."""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Processing time. Event time never comes from here."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, from an arbitrary start."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that never go back, from an arbitrary start."""
        return time.monotonic()


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is advanced.

    >>> clock = ManualClock(start_ms=1_000)
    >>> clock.advance(2.5)
    >>> clock.now_ms(), clock.monotonic()
    (3500, 2.5)
    """

    start_ms: int = 1_735_689_600_000  # 2025-01-01T00:00:00Z
    elapsed_seconds: float = 0.0

    def advance(self, seconds: float) -> None:
        """Turn the clock forward by ``seconds``."""
        self.elapsed_seconds += seconds

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return self.start_ms + round(self.elapsed_seconds * 1000)

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self.elapsed_seconds
