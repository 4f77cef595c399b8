"""What a service knows of its own health. Live means not stuck; ready means connected and progressing."""

import threading

from argus_common.clock import Clock, SystemClock


class Health:
    """Thread-safe: the event loop beats, the ops server reads.

    A service is *live* while its loop has beaten within ``stuck_after`` seconds, and *ready* when live and every
    named condition (``kafka``, ``redis`` …) holds.
    """

    def __init__(self, *conditions: str, stuck_after: float = 60.0, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._conditions = dict.fromkeys(conditions, False)
        self._stuck_after = stuck_after
        self._last_beat = self._clock.monotonic()

    def beat(self) -> None:
        """The main loop made a round."""
        with self._lock:
            self._last_beat = self._clock.monotonic()

    def set(self, condition: str, *, holds: bool) -> None:
        """State whether ``condition`` holds now."""
        with self._lock:
            self._conditions[condition] = holds

    def live(self) -> list[str]:
        """What is wrong; empty means live."""
        with self._lock:
            silent = self._clock.monotonic() - self._last_beat
        return [f"no progress for {silent:.0f} s"] if silent > self._stuck_after else []

    def ready(self) -> list[str]:
        """What is missing; empty means ready."""
        with self._lock:
            missing = [f"{name}: not ready" for name, holds in self._conditions.items() if not holds]
        return self.live() + missing
