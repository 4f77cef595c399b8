"""Sends many records and returns when the broker has acknowledged every one."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from argus_common.errors import TransientError
from argus_common.kafka.clients import build_producer
from argus_common.kafka.dead_letters import DeadLetter
from argus_common.settings import KafkaSettings
from argus_common.topics import DEAD_LETTERS


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record. ``timestamp_ms`` None = the moment of sending."""

    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int | None = None


class Outbox:
    """One idempotent producer, and the translation of its errors."""

    def __init__(self, settings: KafkaSettings, client_id: str) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer = build_producer(settings, client_id)

    async def start(self) -> None:
        """Connect.

        Raises:
            TransientError: the broker can't be reached.
        """
        try:
            await self._producer.start()
        except KafkaError as error:
            raise TransientError(f"Kafka at {self._settings.bootstrap_servers}: {error}") from error

    async def stop(self) -> None:
        """Flush and disconnect."""
        await self._producer.stop()

    async def send(self, topic: str, records: Iterable[Outgoing]) -> None:
        """Send to the catalogue's ``topic``; returns when all are acknowledged.

        Raises:
            TransientError: the broker did not take them all; sending them again may repeat some, with the same ids.
        """
        name = self._settings.topic(topic)
        try:
            sent = [
                await self._producer.send(name, r.value, r.key, timestamp_ms=r.timestamp_ms, headers=r.headers)
                for r in records
            ]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise TransientError(f"Kafka failed while publishing to {name}: {error}") from error

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        """Send dead letters; returns when all are acknowledged."""
        await self.send(DEAD_LETTERS.name, [Outgoing(x.key, x.value, x.headers) for x in letters])
