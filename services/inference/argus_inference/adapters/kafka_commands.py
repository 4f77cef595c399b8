"""What people tell inference, from the commands topic: every replica hears all of it, from the oldest on."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from argus_common.errors import MalformedEventError, TransientError
from argus_common.events import BreachMitigated, MaintenanceScheduled, decode_any
from argus_common.kafka import build_consumer, connect
from argus_common.kafka.dead_letters import dead_letter
from argus_common.retry import retry
from argus_common.settings import KafkaSettings
from argus_common.topics import COMMANDS
from argus_inference.alert_metrics import AlertMetrics
from argus_inference.domain.mitigation import Mitigations
from argus_inference.ports import Publisher

Command = BreachMitigated | MaintenanceScheduled

POLL_MS = 500
PAUSE_SECONDS = 1.0
OURS = b"inference"
KINDS: Sequence[type[Command]] = (BreachMitigated, MaintenanceScheduled)

_log = logging.getLogger("argus.inference.commands")


class Commands:
    """Reads what was told before it returns from ``start``, and what is told later beside everything else."""

    def __init__(
        self,
        kafka: KafkaSettings,
        mitigations: Mitigations,
        publisher: Publisher,
        metrics: AlertMetrics,
        fail: Callable[[BaseException], None],
    ) -> None:
        """``fail`` is told of a fault that listening can't go on after."""
        self._kafka, self._mitigations, self._publisher, self._metrics = kafka, mitigations, publisher, metrics
        self._fail = fail
        self._consumer: AIOKafkaConsumer | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Hear everything that was told up to now; after a failure it may be tried again.

        Raises:
            TransientError: Kafka can't be reached.
            ConfigurationError: it refuses our credentials or has a certificate that we do not trust.
        """
        consumer = build_consumer(self._kafka, self._kafka.topic(COMMANDS.name), group=None)
        await connect(consumer, self._kafka)
        self._consumer = consumer
        parts = list(consumer.assignment())
        ends = await consumer.end_offsets(parts)
        while any([await consumer.position(tp) < ends[tp] for tp in parts]):
            await self._take(consumer)
        self._listening = asyncio.create_task(self._listen(consumer))
        self._listening.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Hear no more; stopping what never started is fine."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        if self._consumer is not None:
            await self._consumer.stop()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    async def _listen(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                await self._take(consumer)
            except (KafkaError, TransientError) as error:
                _log.warning("can't read commands, trying again", extra={"error": str(error)})
                await asyncio.sleep(PAUSE_SECONDS)

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        batches: dict[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]]
        batches = await consumer.getmany(timeout_ms=POLL_MS)
        for record in (record for records in batches.values() for record in records):
            if record.key == OURS:
                await self._hear(record)

    async def _hear(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        try:
            command = decode_any(KINDS, record)
        except MalformedEventError as error:
            self._metrics.commands_bad.inc()
            letter = dead_letter(record, "inference", error.reason, str(error))
            await retry("dead letters", lambda: self._publisher.bury([letter]))
            return
        self._mitigations.add(command)
        _log.info("command heard", extra={"command": command.id()})
