"""What a service knows of its own health. Live means not stuck; ready means connected and progressing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argus_common.clock import Clock, SystemClock

SLOW_AFTER_SECONDS = 5.0
"""Longer than anything takes that a service asks of Kafka or Redis while they are well, start and rebuild apart."""


class Health:
    """Thread-safe: the event loop beats, the ops server reads.

    A service is *live* while its loop has beaten within ``stuck_after`` seconds, and *ready* when live, every
    named condition (``kafka``, ``redis`` …) holds, and nothing that it waits for takes longer than a few seconds.
    """

    def __init__(self, *conditions: str, stuck_after: float = 60.0, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._conditions = dict.fromkeys(conditions, False)
        self._waits: dict[object, tuple[str, str, float]] = {}
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

    @contextmanager
    def waiting(self, whom: str, what: str) -> Iterator[None]:
        """Not ready once inside for longer than `SLOW_AFTER_SECONDS`: the service waits for ``whom`` to ``what``."""
        token = object()
        with self._lock:
            self._waits[token] = whom, what, self._clock.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._waits[token]

    def live(self) -> list[str]:
        """What is wrong; empty means live."""
        with self._lock:
            silent = self._clock.monotonic() - self._last_beat
        return [f"no progress for {silent:.0f} s"] if silent > self._stuck_after else []

    def ready(self) -> list[str]:
        """What is missing; empty means ready."""
        with self._lock:
            missing = [f"{name}: not ready" for name, holds in self._conditions.items() if not holds]
            now = self._clock.monotonic()
            waits = [(whom, what, now - since) for whom, what, since in self._waits.values()]
        slow = [f"{whom}: waiting for {s:.0f} s to {what}" for whom, what, s in waits if s > SLOW_AFTER_SECONDS]
        return self.live() + missing + slow
