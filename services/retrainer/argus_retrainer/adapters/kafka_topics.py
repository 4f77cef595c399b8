"""Several topics read whole and then followed, all partitions, without a group: the memory of the retrainer."""

from collections.abc import Sequence
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from argus_common.errors import TransientError
from argus_common.kafka import build_consumer, connect
from argus_common.kafka.partitions import partitions_of
from argus_common.settings import KafkaSettings

Records: TypeAlias = "list[ConsumerRecord[bytes, bytes]]"
POLL_MS = 300


class KafkaTopics:
    """A reader of its own. A topic that does not exist is left out: not every service is installed everywhere."""

    def __init__(self, settings: KafkaSettings, topics: Sequence[str], at_once: int = 1000) -> None:
        """``at_once``: records per poll; bounds memory."""
        self._settings, self._topics = settings, tuple(settings.topic(name) for name in topics)
        self._at_once = at_once
        self._consumer: AIOKafkaConsumer | None = None
        self._ends: dict[TopicPartition, int] = {}

    async def begin(self, since_ms: int | None = None) -> None:
        """Read from the beginning of the topics, or what was written since then. It may be called again.

        Raises:
            TransientError: Kafka does not answer.
            ConfigurationError: it refuses our credentials or has a certificate that we do not trust.
        """
        await self.stop()
        consumer = build_consumer(
            self._settings, group=None, client_id="argus-retrainer", max_poll_records=self._at_once
        )
        await connect(consumer, self._settings)
        self._consumer = consumer
        try:
            parts = [part for topic in self._topics for part in await partitions_of(self._settings, topic)]
            consumer.assign(parts)
            if parts:
                await _seek(consumer, parts, since_ms)
            self._ends = await consumer.end_offsets(parts) if parts else {}
        except KafkaError as error:
            await self.stop()
            raise TransientError(f"Kafka failed while reading {', '.join(self._topics)}: {error}") from error

    async def caught_up(self) -> bool:
        """Whether all that was there at the beginning is read.

        Raises:
            TransientError: Kafka failed.
        """
        consumer = self._consumer
        try:
            return consumer is not None and all(
                [await consumer.position(part) >= end for part, end in self._ends.items()]
            )
        except KafkaError as error:
            raise TransientError(f"Kafka failed while reading {', '.join(self._topics)}: {error}") from error

    async def poll(self) -> Records:
        """What has come since.

        Raises:
            TransientError: Kafka failed; another poll goes on from the same place.
        """
        if self._consumer is None:
            raise TransientError("following topics before they were read")
        if not self._ends:
            return []
        try:
            batches = await self._consumer.getmany(timeout_ms=POLL_MS)
        except KafkaError as error:
            raise TransientError(f"Kafka failed while following {', '.join(self._topics)}: {error}") from error
        return [record for records in batches.values() for record in records]

    async def stop(self) -> None:
        """Disconnect; stopping what never started is fine."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()


async def _seek(consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition], since_ms: int | None) -> None:
    if since_ms is None:
        await consumer.seek_to_beginning(*parts)
        return
    for part, at in (await consumer.offsets_for_times(dict.fromkeys(parts, since_ms))).items():
        if at is None:  # nothing that new
            await consumer.seek_to_end(part)
        else:
            consumer.seek(part, at.offset)
