"""Windows in, forecasts out: one handler."""

from collections.abc import Sequence
from typing import Protocol

from aiokafka import ConsumerRecord, TopicPartition

from argus_common.events import WindowClosed, decode_batch
from argus_common.kafka.dead_letters import FloodGuard, dead_letter
from argus_common.retry import retry
from argus_inference.domain.selection import Arrived, Selector
from argus_inference.metrics import InferenceMetrics
from argus_inference.ports import Publisher
from argus_inference.service import ForecastService

SERVICE = "inference"

Records = Sequence["ConsumerRecord[bytes, bytes]"]


class Highwater(Protocol):
    """What a consumer knows of the end of its partitions."""

    def highwater(self, partition: TopicPartition) -> int | None:
        """Offset of the next record to be written, as of the last fetch."""
        ...


class WindowHandler:
    """Takes batches of the windows topic."""

    def __init__(
        self, service: ForecastService, publisher: Publisher, metrics: InferenceMetrics, guard: FloodGuard
    ) -> None:
        self._service, self._publisher, self._metrics, self._guard = service, publisher, metrics, guard
        self._selector = Selector()

    async def on_windows(self, records: Records, consumer: Highwater) -> None:
        """Forecast from the newest windows of a batch; bury what can't be read.

        Raises:
            TransientError: the outside stayed unwell; nothing of the batch may be committed.
            DeadLetterFloodError: too many recent windows were unreadable.
        """
        with self._metrics.batch.time():
            verdicts = decode_batch(WindowClosed, records)
            for _, error in verdicts.bad:
                self._metrics.dead_letters.labels(error.reason).inc()
            letters = [dead_letter(record, SERVICE, error.reason, str(error)) for record, error in verdicts.bad]
            if letters:
                await retry("dead letters", lambda: self._publisher.bury(letters))
            self._guard.record(read=len(verdicts.good), unreadable=len(verdicts.bad))
            selection = self._selector.select(
                Arrived(window, record.partition, _queued(record, consumer)) for record, window in verdicts.good
            )
            self._account(len(records), selection.superseded, selection.behind)
            await self._service.forecast(selection.chosen)

    def _account(self, windows: int, superseded: int, behind: int) -> None:
        self._metrics.windows.inc(windows)
        self._metrics.skipped.labels("superseded").inc(superseded)
        self._metrics.skipped.labels("behind").inc(behind)


def _queued(record: "ConsumerRecord[bytes, bytes]", consumer: Highwater) -> int:
    """Records behind this one in its partition."""
    end = consumer.highwater(TopicPartition(record.topic, record.partition))
    return 0 if end is None else max(0, end - record.offset - 1)
