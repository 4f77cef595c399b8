"""Looks at Kafka and Redis every second: ready means connected and progressing, stuck ends the process."""

import asyncio
from asyncio import Event
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from argus_common.clock import Clock
from argus_common.errors import TransientError
from argus_common.ops import Health
from argus_inference.metrics import InferenceMetrics

ROUND_SECONDS = 1.0
UNREADY_AFTER_SECONDS = 30.0
STUCK_AFTER_SECONDS = 180.0
"""Longer than a rebalance and than the framework's pause after an error of the broker."""


class Progressing(Protocol):
    """What is watched."""

    failed: "asyncio.Future[None]"
    batches: int

    @property
    def busy(self) -> bool: ...  # noqa: D102
    async def lag(self) -> dict[int, int] | None: ...  # noqa: D102
    async def tick(self) -> None: ...  # noqa: D102


@dataclass(slots=True)
class Watch:
    """Watches a subscription. ``redis_answers``: raises `TransientError` where it does not."""

    subscription: Progressing
    redis_answers: Callable[[], Awaitable[None]]
    health: Health
    metrics: InferenceMetrics
    clock: Clock
    _batches: int = -1
    _progress_at: float = 0.0

    async def run(self, stop: Event) -> None:
        """Until ``stop`` is set.

        Raises:
            Exception: whatever the subscription failed with.
            TransientError: windows wait, and none was read for `STUCK_AFTER_SECONDS`.
        """
        waiting = asyncio.ensure_future(stop.wait())
        either: set[asyncio.Future[Any]] = {waiting, self.subscription.failed}
        try:
            while not waiting.done():
                looking = asyncio.ensure_future(self.look())
                await asyncio.wait({waiting, looking}, return_when=asyncio.FIRST_COMPLETED)
                if not looking.done():  # told to stop in the middle of an outage
                    looking.cancel()
                    break
                looking.result()
                await asyncio.wait(either, timeout=ROUND_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()

    async def look(self) -> None:
        """One round."""
        if self.subscription.failed.done():
            self.subscription.failed.result()
        if not self.subscription.busy:
            await self.subscription.tick()
        lag = await self.subscription.lag()
        self.health.set("kafka", holds=lag is not None)
        self.health.set("redis", holds=await self._redis())
        self._judge(lag)
        self.health.beat()

    def _judge(self, lag: dict[int, int] | None) -> None:
        """Idle is fine, and so is an outage or a long batch; windows that nobody reads are not."""
        now = self.clock.monotonic()
        if lag is not None:
            self.metrics.show_lag(lag)
        if self.subscription.batches != self._batches or self.subscription.busy or not any((lag or {}).values()):
            self._batches, self._progress_at = self.subscription.batches, now
        silent = now - self._progress_at
        self.health.set("progress", holds=silent < UNREADY_AFTER_SECONDS)
        if silent >= STUCK_AFTER_SECONDS:
            raise TransientError(
                f"{sum((lag or {}).values())} windows wait, and none was read for {silent:.0f} s: start again"
            )

    async def _redis(self) -> bool:
        try:
            await self.redis_answers()
        except TransientError:
            return False
        return True
