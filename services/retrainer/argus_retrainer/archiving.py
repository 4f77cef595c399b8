"""Keeps the archive: windows in, durable files out, then offsets; and by the clock compacts and drops days."""

import asyncio
import logging
from asyncio import Event
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiokafka import ConsumerRecord

from argus_common.clock import Clock
from argus_common.events import WindowClosed, decode_batch
from argus_common.kafka.dead_letters import FloodGuard, dead_letter
from argus_common.ops import Health
from argus_common.retry import Backoff, retry
from argus_retrainer.domain.buffer import WindowBuffer
from argus_retrainer.domain.upkeep import upkeep
from argus_retrainer.metrics import ArchiveMetrics
from argus_retrainer.ports import Archive, LetterBox, WindowSource

SERVICE = "retrainer"
POLL_MS = 500
LOOK_SECONDS = 1.0
TIDIES = 0
"""Whoever holds this partition of the windows topic keeps the archive tidy. Two that do so at once do no harm."""

ResultT = TypeVar("ResultT")
Records = Sequence["ConsumerRecord[bytes, bytes]"]

_log = logging.getLogger("argus.retrainer.archive")


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long: ``days`` of each fleet; ``tidy_seconds`` between two looks at the whole archive."""

    days: int
    tidy_seconds: float


class Archiving:
    """Drives the archive from the windows topic until it is told to stop."""

    def __init__(
        self,
        source: WindowSource,
        archive: Archive,
        letters: LetterBox,
        buffer: WindowBuffer,
        keeping: Keeping,
        guard: FloodGuard,
        health: Health,
        metrics: ArchiveMetrics,
        clock: Clock,
        backoff: Backoff | None = None,
    ) -> None:
        self._source, self._archive, self._letters, self._buffer = source, archive, letters, buffer
        self._keeping, self._guard, self._health, self._metrics = keeping, guard, health, metrics
        self._clock, self._backoff = clock, backoff or Backoff()
        self._written: dict[int, int] = {}
        self._tidy_at = self._look_at = 0.0

    async def run(self, stop: Event) -> None:
        """Until ``stop`` is set; what is held then is written and committed."""
        while not stop.is_set():
            await self.round()
        await self._write()

    async def round(self) -> None:
        """Take in what lies ready; write, commit and tidy when it is time."""
        batches = await self._source.poll(POLL_MS)
        self._forget(self._source.take_revoked())
        for partition, records in batches.items():
            await self._take(partition, records)
        if self._buffer.due(self._clock.monotonic()):
            await self._write()
        await self._look()
        await self._tidy()
        self._health.beat()

    def _forget(self, partitions: set[int]) -> None:
        self._buffer.drop(partitions)
        for partition in partitions:
            self._written.pop(partition, None)

    async def _take(self, partition: int, records: Records) -> None:
        verdicts = decode_batch(WindowClosed, records)
        letters = [dead_letter(record, SERVICE, error.reason, str(error)) for record, error in verdicts.bad]
        if letters:
            await retry("dead letters", lambda: self._letters.bury(letters), self._backoff)
        for _, error in verdicts.bad:
            self._metrics.dead_letters.labels(error.reason).inc()
        self._guard.record(read=len(verdicts.good), unreadable=len(verdicts.bad))
        windows = [window for _, window in verdicts.good]
        self._buffer.add(partition, records[0].offset, records[-1].offset, windows, self._clock.monotonic())

    async def _write(self) -> None:
        """Files first, then offsets; killed in between, the same windows come again and are read once."""
        held = self._buffer.take()
        with self._metrics.write.time():
            for partition, part in held.items():
                files = await self._aside("write to the archive", lambda p=partition, h=part: self._archive.add(p, h))  # type: ignore[misc]
                self._metrics.files.inc(files)
                self._metrics.windows.inc(len(part.windows))
                self._written[partition] = part.last + 1
        self._forget(self._source.take_revoked())
        await self._source.commit(self._written)

    async def _look(self) -> None:
        if self._clock.monotonic() < self._look_at:
            return
        self._look_at = self._clock.monotonic() + LOOK_SECONDS
        self._health.set("kafka", holds=await self._source.read_to_end() is not None)
        await self._source.commit(self._written)  # once more, where it failed before
        for partition, lag in self._source.lag().items():
            self._metrics.lag.labels(str(partition)).set(lag)

    async def _tidy(self) -> None:
        if self._clock.monotonic() < self._tidy_at or TIDIES not in self._source.assigned():
            return
        self._tidy_at = self._clock.monotonic() + self._keeping.tidy_seconds
        days = await self._aside("list the archive", self._archive.days)
        wanted = upkeep({day: info.files for day, info in days.items()}, self._keeping.days)
        for day in wanted.compact:
            if await self._aside("compact a day", lambda d=day: self._archive.compact(d, days[d].files)):  # type: ignore[misc]
                self._metrics.compacted.inc()
        for day in wanted.drop:
            await self._aside("drop a day", lambda d=day: self._archive.drop(d, days[d].files))  # type: ignore[misc]
            self._metrics.dropped.inc()
            _log.info("day dropped from the archive", extra={"fleet": day.fleet, "date": str(day.date)})
        self._metrics.days.set(len(days) - len(wanted.drop))
        self._metrics.bytes.set(sum(info.size for day, info in days.items() if day not in wanted.drop))

    async def _aside(self, what: str, operation: Callable[[], ResultT]) -> ResultT:
        """In a thread, so that heartbeats go on; tried again while the store is unwell."""

        async def once() -> ResultT:
            return await asyncio.to_thread(operation)

        attempt: Callable[[], Awaitable[ResultT]] = once
        with self._health.waiting("archive", what):
            return await retry(what, attempt, self._backoff)
