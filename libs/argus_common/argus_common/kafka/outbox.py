"""Sends many records and returns when the broker has acknowledged every one."""

import asyncio
from collections.abc import Awaitable, Iterable

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from argus_common.errors import TransientError
from argus_common.events import Record
from argus_common.kafka.bulk import hand_over
from argus_common.kafka.clients import build_producer
from argus_common.kafka.connect import connect
from argus_common.kafka.dead_letters import DeadLetter
from argus_common.settings import KafkaSettings
from argus_common.topics import DEAD_LETTERS


class Outbox:
    """One idempotent producer, and the translation of its errors."""

    def __init__(self, settings: KafkaSettings, client_id: str) -> None:
        self._settings, self._client_id = settings, client_id
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect; after a failure it may be tried again.

        Raises:
            TransientError: the broker can't be reached.
            ConfigurationError: it refuses our credentials or has a certificate that we do not trust.
        """
        producer = build_producer(self._settings, self._client_id)
        await connect(producer, self._settings)
        self._producer = producer

    async def stop(self) -> None:
        """Flush and disconnect; stopping what never started is fine."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def send(self, topic: str, records: Iterable[Record]) -> None:
        """Send to the catalogue's ``topic``; returns when all are acknowledged.

        Raises:
            TransientError: the broker did not take them all; sending them again may repeat some, with the same ids.
        """
        name, producer = self._settings.topic(topic), self._producer
        if producer is None:
            raise TransientError(f"publishing to {name} before Kafka is connected")
        sent: list[Awaitable[object]] = []
        try:
            await hand_over(producer, name, records, sent)
            await asyncio.gather(*sent)
        except KafkaError as error:
            await asyncio.gather(*sent, return_exceptions=True)  # none is left behind, whatever became of it
            raise TransientError(f"Kafka failed while publishing to {name}: {error}") from error

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        """Send dead letters; returns when all are acknowledged."""
        await self.send(DEAD_LETTERS.name, [Record(x.key, x.value, x.headers) for x in letters])
