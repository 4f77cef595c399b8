"""Windows and dead letters to Kafka; returns when the broker has acknowledged every one."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from argus_common.errors import TransientError
from argus_common.kafka.dead_letters import DeadLetter
from argus_common.settings import KafkaSettings
from argus_common.topics import DEAD_LETTERS, WINDOWS
from argus_ingest.domain.encode import WindowRecord


class KafkaPublisher:
    """Publishes through one idempotent producer."""

    def __init__(self, producer: AIOKafkaProducer, settings: KafkaSettings) -> None:
        self._producer = producer
        self._windows, self._dead_letters = settings.topic(WINDOWS.name), settings.topic(DEAD_LETTERS.name)

    async def start(self) -> None:
        """Connect.

        Raises:
            TransientError: the broker can't be reached.
        """
        try:
            await self._producer.start()
        except KafkaError as error:
            raise TransientError(f"Kafka: {error}") from error

    async def stop(self) -> None:
        """Flush and disconnect."""
        await self._producer.stop()

    async def windows(self, records: Sequence[WindowRecord]) -> None:
        """Publish windows, keyed by server."""
        try:
            sent = [
                await self._producer.send(self._windows, r.value, r.key, timestamp_ms=r.timestamp_ms, headers=r.headers)
                for r in records
            ]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise TransientError(f"Kafka failed while publishing windows: {error}") from error

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Publish dead letters, keyed by their topic."""
        try:
            sent = [await self._producer.send(self._dead_letters, x.value, x.key, headers=x.headers) for x in letters]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise TransientError(f"Kafka failed while publishing dead letters: {error}") from error
