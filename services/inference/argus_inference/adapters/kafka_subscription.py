"""The FastStream side: one batch subscriber with explicit commits; the first failure stops the service."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from argus_common.settings import KafkaSettings
from argus_common.topics import WINDOWS
from argus_inference.handlers import WindowHandler
from argus_inference.settings import InferenceSettings

POLL_MS = 100
HEARTBEAT_MS = 1000

_log = logging.getLogger("argus.inference.subscription")


class Subscription:
    """Subscribes a handler to the windows topic.

    Offsets are committed by hand after a batch is done, so that a failure or a crash repeats it. A failure is kept
    and ends the service: with any other acknowledgement policy the framework would go on past it, or repeat it at
    once and for ever.
    """

    def __init__(self, broker: KafkaBroker, handler: WindowHandler) -> None:
        self._broker, self._handler = broker, handler
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def subscribe(self, kafka: KafkaSettings, settings: InferenceSettings) -> None:
        """Register the subscriber; the broker starts it."""
        session_ms = round(kafka.session_timeout.total_seconds() * 1000)
        subscriber = self._broker.subscriber(
            kafka.topic(WINDOWS.name),
            group_id=settings.group,
            batch=True,
            max_records=settings.max_poll_records,
            batch_timeout_ms=POLL_MS,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            session_timeout_ms=session_ms,
            rebalance_timeout_ms=2 * session_ms,
            heartbeat_interval_ms=HEARTBEAT_MS,
            decoder=_undecoded,
        )
        subscriber(self._on_batch)

    async def _on_batch(self, message: KafkaMessage) -> None:
        if self.failed.done():
            return
        records: Sequence[ConsumerRecord[bytes, bytes]] = message.raw_message
        try:
            await self._handler.on_windows(records, message.consumer)  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 - told to whoever awaits ``failed``, which ends the process
            self.failed.set_exception(error)
            return
        await self._commit(message, records)

    @staticmethod
    async def _commit(message: KafkaMessage, records: "Sequence[ConsumerRecord[bytes, bytes]]") -> None:
        offsets = {TopicPartition(r.topic, r.partition): OffsetAndMetadata(r.offset + 1, "") for r in records}
        try:
            await message.consumer.commit(offsets)  # type: ignore[call-arg]
        except (CommitFailedError, IllegalStateError) as error:
            _log.info("commit refused after a rebalance, the batch is read again", extra={"error": str(error)})
        except KafkaError as error:
            _log.warning("commit failed, a later one covers it", extra={"error": str(error)})


async def _undecoded(message: Any) -> Any:  # noqa: ANN401 - the framework's hook, which must not parse anything
    return message.body
