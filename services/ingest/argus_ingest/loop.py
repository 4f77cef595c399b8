"""The main loop: poll, take in, carry out, commit; and by the wall clock close what is idle."""

import logging
from asyncio import Event

from argus_common.clock import Clock
from argus_common.errors import TakenOverError
from argus_common.kafka.source import Batch, KafkaSource
from argus_common.ops import Health
from argus_ingest.metrics import IngestMetrics
from argus_ingest.pipeline import Effects, Pipeline

IDLE_CHECK_SECONDS = 1.0
COMMIT_SECONDS = 1.0
POLL_MS = 200
BATCHES_PER_ROUND = 8
"""Taken in one by one, since a small batch stays in the processor's cache; their windows are published together,
since what a publication costs hardly depends on how many there are.
"""

_log = logging.getLogger("argus.ingest.loop")


class Loop:
    """Drives a pipeline from a source until it is told to stop."""

    def __init__(
        self,
        source: KafkaSource,
        pipeline: Pipeline,
        clock: Clock,
        health: Health,
        metrics: IngestMetrics,
        idle_seconds: float,
    ) -> None:
        self._source, self._pipeline, self._clock = source, pipeline, clock
        self._health, self._metrics, self._idle_seconds = health, metrics, idle_seconds
        self._next_idle_check = self._next_commit = 0.0
        self._broker_away = False
        self._told: set[int] = set()

    async def run(self, stop: Event) -> None:
        """Until ``stop`` is set; then commit once more. Errors of the tree end the loop without a commit."""
        while not stop.is_set():
            try:
                await self._round()
                await self._check_idle()
                await self._commit_when_due()
            except TakenOverError as error:
                await self._begin_anew(error)
            self._health.beat()
        await self._source.commit(self._pipeline.committable())

    async def _begin_anew(self, error: TakenOverError) -> None:
        """Forget all that is held, as a restart does; what is still ours is read again from its committed offset."""
        _log.warning("beginning anew from the committed offsets", extra={"reason": str(error)})
        self._pipeline.release(list(self._pipeline.owned))
        await self._source.rewind()

    async def _round(self) -> None:
        """Take in what lies ready, a batch at a time, and carry out together what came of it."""
        effects = Effects()
        for wait_ms in (POLL_MS, *[0] * (BATCHES_PER_ROUND - 1)):
            batches = await self._source.poll(wait_ms)
            self._pipeline.release(self._source.take_revoked())
            if not batches or not await self._take(batches, effects):
                break
        await self._pipeline.carry_out(effects)

    async def _take(self, batches: dict[int, Batch], effects: Effects) -> bool:
        generation = self._source.generation
        if any(partition not in self._pipeline.owned for partition in batches):
            await self._pipeline.acquire([p for p in self._source.assigned() if p not in self._pipeline.owned])
        if self._source.generation != generation:
            # What we hold was fetched before a rebalance; it will be read again from the committed offset.
            self._pipeline.release(self._source.take_revoked())
            return False
        for partition, records in batches.items():
            self._pipeline.take(partition, records, effects)
        return True

    async def _check_idle(self) -> None:
        now = self._clock.monotonic()
        if now < self._next_idle_check:
            return
        self._next_idle_check = now + IDLE_CHECK_SECONDS
        at_end = await self._source.read_to_end()
        self._health.set("kafka", holds=at_end is not None)
        if at_end is None:
            self._broker_away = True
            return
        if self._broker_away:
            self._broker_away = False
            self._pipeline.wake()
        await self._pipeline.restore_lost(self._pipeline.owned)
        effects = Effects()
        for partition in at_end:
            if partition in self._pipeline.owned:
                self._pipeline.close_idle(partition, self._idle_seconds, effects)
        await self._pipeline.carry_out(effects)
        self._pipeline.tidy()
        self._observe()

    async def _commit_when_due(self) -> None:
        now = self._clock.monotonic()
        if now < self._next_commit:
            return
        self._next_commit = now + COMMIT_SECONDS
        await self._source.commit(self._pipeline.committable())

    def _observe(self) -> None:
        lags = self._source.lag()
        for partition in self._told - lags.keys():
            self._metrics.lag.remove(str(partition))  # another replica tells it now
        for partition, lag in lags.items():
            self._metrics.lag.labels(str(partition)).set(lag)
        self._told = set(lags)
        self._metrics.open_rows.set(sum(owned.windows.open_rows() for owned in self._pipeline.owned.values()))
