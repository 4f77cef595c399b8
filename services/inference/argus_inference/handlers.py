"""Windows in, forecasts out."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from argus_common.clock import Clock
from argus_common.errors import MalformedEventError
from argus_common.events import WindowClosed, decode_batch
from argus_common.kafka.dead_letters import FloodGuard, dead_letter
from argus_common.kafka.records import EventRecord
from argus_common.retry import Backoff, retry
from argus_inference.domain.backlog import Arrived, Backlog
from argus_inference.metrics import InferenceMetrics
from argus_inference.ports import Publisher
from argus_inference.service import ForecastService

SERVICE = "inference"

Offsets = dict[int, int]
"""Partition → offset of the next record that is needed."""


class WindowHandler:
    """Takes batches of the windows topic; one at a time, whoever calls."""

    def __init__(
        self,
        service: ForecastService,
        publisher: Publisher,
        backlog: Backlog,
        guard: FloodGuard,
        metrics: InferenceMetrics,
        clock: Clock,
        backoff: Backoff | None = None,
    ) -> None:
        self._service, self._publisher, self._backlog, self._guard = service, publisher, backlog, guard
        self._metrics, self._clock, self._backoff = metrics, clock, backoff or Backoff()
        self._turn = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether something is being done just now."""
        return self._turn.locked()

    async def on_windows(self, records: Sequence[EventRecord], queued: Mapping[int, int]) -> Offsets:
        """Take a batch in, and forecast when nothing is queued behind it; the offsets that may now be committed.

        Args:
            records: as they were fetched, of several partitions.
            queued: partition → records behind the batch.

        Raises:
            TransientError: the outside stayed unwell; nothing of the batch may be committed.
            DeadLetterFloodError: too many recent windows were unreadable.
        """
        async with self._turn:
            verdicts = decode_batch(WindowClosed, records)
            await self._bury(verdicts.bad)
            self._guard.record(read=len(verdicts.good), unreadable=len(verdicts.bad))
            arrived = [Arrived(window, record.partition, record.timestamp) for record, window in verdicts.good]
            skipped = self._backlog.add(arrived, _offsets(records), queued, self._clock.monotonic())
            self._metrics.windows.inc(len(records))
            self._metrics.skipped.labels("superseded").inc(skipped)
            return await self._forecast_when_due()

    async def on_tick(self, read_to_the_end: Collection[int] = ()) -> Offsets:
        """Forecast what has been held for too long; the offsets that may now be committed.

        ``read_to_the_end``: the partitions behind whose last record nothing is known to wait.
        """
        async with self._turn:
            offsets = await self._forecast_when_due()
            await self._service.alerts.look_at_idle(read_to_the_end)
            return offsets

    def on_assigned(self, partitions: Iterable[int]) -> None:
        """These partitions are ours now and are read again from their committed offsets."""
        ours = list(partitions)
        self._backlog.restart(ours)
        self._service.alerts.retain(ours)

    async def _forecast_when_due(self) -> Offsets:
        if not self._backlog.due(self._clock.monotonic()):
            return {}
        arrived, offsets = self._backlog.take()
        if arrived:
            with self._metrics.batch.time():
                await self._service.forecast(arrived)
        return offsets

    async def _bury(self, bad: Sequence[tuple[EventRecord, MalformedEventError]]) -> None:
        letters = [dead_letter(record, SERVICE, error.reason, str(error)) for record, error in bad]
        if letters:
            await retry("dead letters", lambda: self._publisher.bury(letters), self._backoff)
        for _, error in bad:
            self._metrics.dead_letters.labels(error.reason).inc()


def _offsets(records: Iterable[EventRecord]) -> Offsets:
    """Records of a partition come in order, so the last one counts."""
    return {record.partition: record.offset + 1 for record in records}
