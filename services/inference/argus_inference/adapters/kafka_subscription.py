"""The FastStream side: one batch subscriber with explicit commits; the first failure stops the service."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from argus_common.settings import KafkaSettings
from argus_common.topics import WINDOWS
from argus_inference.adapters.prometheus_page import ForecastPage
from argus_inference.handlers import WindowHandler
from argus_inference.settings import InferenceSettings

POLL_MS = 100
HEARTBEAT_MS = 1000
FETCH_BYTES_PER_PARTITION = 4 * 1024 * 1024
PROBE_SECONDS = 3.0

_log = logging.getLogger("argus.inference.subscription")


@dataclass(slots=True)
class Assignment(ConsumerRebalanceListener):  # type: ignore[misc] # the library is untyped
    """Tells those who remember servers by partition which partitions are ours."""

    handler: WindowHandler
    page: ForecastPage

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing: a batch that is in work ends as usual, its commit is refused, and it is read again."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """All of them begin at their committed offsets."""
        partitions = sorted(tp.partition for tp in assigned)
        self.handler.on_assigned(partitions)
        self.page.retain(partitions)
        _log.info("partitions assigned", extra={"partitions": partitions})


class Subscription:
    """Subscribes a handler to the windows topic.

    Offsets are committed by hand once their forecasts are acknowledged, so that a failure or a crash repeats them. A
    failure is kept and ends the service: with any other acknowledgement policy the framework would go on past it, or
    repeat it at once and for ever.
    """

    def __init__(self, broker: KafkaBroker, handler: WindowHandler, page: ForecastPage) -> None:
        self._broker, self._handler, self._page = broker, handler, page
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.batches = 0

    def subscribe(self, kafka: KafkaSettings, settings: InferenceSettings) -> None:
        """Register the subscriber; the broker starts it."""
        self._topic = kafka.topic(WINDOWS.name)
        session_ms = round(kafka.session_timeout.total_seconds() * 1000)
        self._subscriber = self._broker.subscriber(
            self._topic,
            group_id=settings.group,
            batch=True,
            max_records=settings.max_poll_records,
            batch_timeout_ms=POLL_MS,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            session_timeout_ms=session_ms,
            rebalance_timeout_ms=2 * session_ms,
            heartbeat_interval_ms=HEARTBEAT_MS,
            max_partition_fetch_bytes=FETCH_BYTES_PER_PARTITION,
            listener=Assignment(self._handler, self._page),
            decoder=_undecoded,
        )
        self._subscriber(self._on_batch)

    @property
    def busy(self) -> bool:
        """Whether a batch is in work."""
        return self._handler.busy

    def fail(self, error: BaseException) -> None:
        """Keep the first failure; whoever awaits ``failed`` ends the process."""
        if not self.failed.done():
            self.failed.set_exception(error)

    async def tick(self) -> None:
        """Let the handler do what is due by the clock."""
        consumer = self._subscriber.consumer
        if consumer is not None and not self.failed.done():
            await self._commit(consumer, await self._handler.on_tick(await _read_to_the_end(consumer)))

    async def lag(self) -> dict[int, int] | None:
        """Records that were not read yet by partition, as the broker itself says now; None if it does not answer."""
        consumer = self._subscriber.consumer
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                if consumer is None or not (ours := list(consumer.assignment())):
                    return {}
                ends = await consumer.end_offsets(ours)
                return {tp.partition: max(0, ends[tp] - await consumer.position(tp)) for tp in ours}
        except (KafkaError, TimeoutError):
            return None

    async def _on_batch(self, message: KafkaMessage) -> None:
        if self.failed.done():
            return
        self.batches += 1
        records: Sequence[ConsumerRecord[bytes, bytes]] = message.raw_message
        consumer: AIOKafkaConsumer = message.consumer
        try:
            offsets = await self._handler.on_windows(records, _queued(records, consumer))
        except Exception as error:  # noqa: BLE001 - told to whoever awaits ``failed``
            self.fail(error)
            return
        await self._commit(consumer, offsets)

    async def _commit(self, consumer: AIOKafkaConsumer, offsets: Mapping[int, int]) -> None:
        ours = consumer.assignment()
        wanted = {TopicPartition(self._topic, p): OffsetAndMetadata(offset, "") for p, offset in offsets.items()}
        if not (wanted := {tp: offset for tp, offset in wanted.items() if tp in ours}):
            return
        try:
            await consumer.commit(wanted)
        except (CommitFailedError, IllegalStateError) as error:
            _log.info("commit refused after a rebalance, the batch is read again", extra={"error": str(error)})
        except KafkaError as error:
            _log.warning("commit failed, a later one covers it", extra={"error": str(error)})


def _queued(records: "Sequence[ConsumerRecord[bytes, bytes]]", consumer: AIOKafkaConsumer) -> dict[int, int]:
    """Records behind the batch in each of its partitions, as of the last fetch."""
    queued = {}
    for record in records:
        end = consumer.highwater(TopicPartition(record.topic, record.partition))
        queued[record.partition] = 0 if end is None else max(0, end - record.offset - 1)
    return queued


async def _read_to_the_end(consumer: AIOKafkaConsumer) -> set[int]:
    """Our partitions behind which nothing waited at the last fetch; none in the middle of a rebalance."""
    ends = {tp: end for tp in consumer.assignment() if (end := consumer.highwater(tp)) is not None}
    try:
        return {tp.partition for tp, end in ends.items() if await consumer.position(tp) >= end}
    except IllegalStateError:
        return set()


async def _undecoded(message: Any) -> Any:  # noqa: ANN401 - the framework's hook, which must not parse anything
    return message.body
