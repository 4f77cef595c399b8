"""The main loop: take over what is new, poll, take in, tick what is over, carry out, commit."""

import asyncio
import logging
from asyncio import Event
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from argus_common.errors import TakenOverError, TransientError
from argus_common.forecasts.pipeline import Effects, Following, Outside
from argus_common.kafka.source import KafkaSource

POLL_MS = 100
LOOK_SECONDS = 1.0
STOP_SECONDS = 5.0
"""A round that goes on for so long after the signal waits for somebody who is away; what it did not do is repeated."""

_log = logging.getLogger("argus.forecasts.loop")


class Loop:
    """Drives a pipeline from a source until it is told to stop. ``redis_answers`` raises where it does not."""

    def __init__(
        self,
        source: KafkaSource,
        pipeline: Following[Any, Any],
        outside: Outside,
        show_lag: Callable[[Mapping[int, int]], None],
        redis_answers: Callable[[], Awaitable[None]],
    ) -> None:
        self._source, self._pipeline, self._outside, self._show_lag = source, pipeline, outside, show_lag
        self._redis_answers = redis_answers
        self._next_look = 0.0
        self._failure: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        """End the loop with this error: something beside it has failed for good."""
        self._failure = error

    async def run(self, stop: Event) -> None:
        """Until ``stop`` is set; then commit once more. Errors of the tree end the loop without a commit."""
        rounds, waiting = asyncio.ensure_future(self._rounds(stop)), asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({rounds, waiting}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({rounds}, timeout=STOP_SECONDS)
        finally:
            waiting.cancel()
            if not rounds.done():  # told to stop in the middle of an outage
                rounds.cancel()
        if rounds.done():
            rounds.result()

    async def _rounds(self, stop: Event) -> None:
        while not stop.is_set():
            try:
                await self._round()
                await self._look_when_due()
            except TakenOverError as error:
                _log.warning("beginning anew from what is remembered", extra={"reason": str(error)})
                self._pipeline.release(list(self._pipeline.owned))
            self._outside.health.beat()
            if self._failure is not None:
                raise self._failure
        await self._source.commit(self._pipeline.committable())

    async def _round(self) -> None:
        await self._take_over()
        batches = await self._source.poll(POLL_MS)
        self._pipeline.release(self._source.take_revoked())
        effects = Effects()
        for partition, records in batches.items():
            if partition in self._pipeline.owned:  # otherwise it came in the middle, and is read again once it is ours
                self._pipeline.take(partition, records, effects)
        at_end = await self._source.read_to_end() if self._pipeline.may_settle() else []
        self._pipeline.tick_due([p for p in at_end or [] if p not in batches], effects)
        await self._pipeline.carry_out(effects)

    async def _take_over(self) -> None:
        self._pipeline.release(self._source.take_revoked())
        new = [partition for partition in self._source.assigned() if partition not in self._pipeline.owned]
        if new:
            begin = await self._pipeline.acquire(new)
            await self._outside.insist("kafka", "seek", lambda: self._seek(begin))

    async def _seek(self, begin: Mapping[int, int | None]) -> None:
        forgotten = await self._source.read_before([p for p, offset in begin.items() if offset is None])
        if forgotten:
            _log.warning(
                "Redis has lost what was known: learning anew from where the group has committed",
                extra={"partitions": forgotten},
            )
        await self._source.seek(begin)

    async def _look_when_due(self) -> None:
        """Commit, and tell how things are."""
        now = self._outside.clock.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        await self._source.commit(self._pipeline.committable())
        self._outside.health.set("kafka", holds=await self._source.read_to_end() is not None)
        self._outside.health.set("redis", holds=await self._redis())
        self._show_lag(self._source.lag())

    async def _redis(self) -> bool:
        try:
            await self._redis_answers()
        except TransientError:
            return False
        return True
