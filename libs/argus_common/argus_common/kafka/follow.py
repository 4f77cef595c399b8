"""Reads a whole topic of one partition from its beginning, without a group, and then follows it."""

import asyncio
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from argus_common.errors import TransientError
from argus_common.kafka.clients import build_consumer
from argus_common.kafka.connect import connect
from argus_common.settings import KafkaSettings

Records: TypeAlias = "list[ConsumerRecord[bytes, bytes]]"
POLL_MS = 500
LOOK_SECONDS, LOOKS = 0.1, 30
"""A fresh client learns of a topic a moment after it has asked."""


class TopicFollower:
    """A reader of its own of a small topic; every process that has one sees every record."""

    def __init__(self, settings: KafkaSettings, topic: str, client_id: str) -> None:
        self._settings, self._client_id = settings, client_id
        self._part = TopicPartition(settings.topic(topic), 0)
        self._consumer: AIOKafkaConsumer | None = None

    async def read(self) -> Records:
        """Everything that is on the topic now. After a failure it may be tried again.

        Raises:
            TransientError: Kafka does not answer, or has no such topic.
            ConfigurationError: it refuses our credentials or has a certificate that we do not trust.
        """
        await self.stop()
        consumer = build_consumer(self._settings, group=None, client_id=self._client_id)
        await connect(consumer, self._settings)
        self._consumer = consumer
        try:
            await self._require_topic(consumer)
            consumer.assign([self._part])
            await consumer.seek_to_beginning(self._part)
            end = (await consumer.end_offsets([self._part]))[self._part]
            found: Records = []
            while await consumer.position(self._part) < end:
                found += await self.poll()
        except KafkaError as error:
            await self.stop()
            raise TransientError(f"Kafka failed while reading {self._part.topic}: {error}") from error
        return found

    async def poll(self) -> Records:
        """What has come since, after at most half a second.

        Raises:
            TransientError: Kafka failed; another poll goes on from the same place.
        """
        if self._consumer is None:
            raise TransientError(f"following {self._part.topic} before it was read")
        try:
            batches = await self._consumer.getmany(self._part, timeout_ms=POLL_MS)
        except KafkaError as error:
            raise TransientError(f"Kafka failed while following {self._part.topic}: {error}") from error
        return [record for records in batches.values() for record in records]

    async def stop(self) -> None:
        """Disconnect; stopping what never started is fine."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def _require_topic(self, consumer: AIOKafkaConsumer) -> None:
        for _ in range(LOOKS):
            if self._part.topic in await consumer.topics():
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise TransientError(f"there is no topic {self._part.topic}: run argus topics provision")
