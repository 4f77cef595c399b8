"""Sends many records and returns when the broker has acknowledged every one."""

import asyncio
from collections.abc import Awaitable, Iterable
from functools import lru_cache

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from argus_common.errors import TransientError
from argus_common.events import Record
from argus_common.kafka.clients import MAX_RECORD_BYTES, build_producer
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
            await _hand_over(producer, name, records, sent)
            await asyncio.gather(*sent)
        except KafkaError as error:
            await asyncio.gather(*sent, return_exceptions=True)  # none is left behind, whatever became of it
            raise TransientError(f"Kafka failed while publishing to {name}: {error}") from error

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        """Send dead letters; returns when all are acknowledged."""
        await self.send(DEAD_LETTERS.name, [Record(x.key, x.value, x.headers) for x in letters])


async def _hand_over(
    producer: AIOKafkaProducer, topic: str, records: Iterable[Record], sent: list[Awaitable[object]]
) -> None:
    """Put the records into one batch per partition, several times as fast as one call per record.

    What was sent is added to ``sent`` as it goes, so that it is known even where a later record fails.
    """
    count = len(await producer.partitions_for(topic))
    open_batches: dict[int, BatchBuilder] = {}
    try:
        for record in records:
            await _add(producer, topic, record, _partition(record.key, count), open_batches, sent)
    finally:
        for partition, batch in open_batches.items():
            sent.append(await producer.send_batch(batch, topic, partition=partition))


async def _add(
    producer: AIOKafkaProducer,
    topic: str,
    r: Record,
    partition: int,
    open_batches: dict[int, BatchBuilder],
    sent: list[Awaitable[object]],
) -> None:
    headers = list(r.headers)
    if len(r.value) > MAX_RECORD_BYTES:  # a batch takes its first record whatever its size; the producer refuses it
        sent.append(await producer.send(topic, r.value, r.key, timestamp_ms=r.timestamp_ms, headers=headers))
        return
    batch = open_batches.get(partition)
    if batch is not None and _fits(batch, r, headers):
        return
    if batch is not None:
        del open_batches[partition]
        sent.append(await producer.send_batch(batch, topic, partition=partition))
    open_batches[partition] = producer.create_batch()
    _fits(open_batches[partition], r, headers)


def _fits(batch: BatchBuilder, record: Record, headers: list[tuple[str, bytes]]) -> bool:
    added = batch.append(timestamp=record.timestamp_ms, key=record.key, value=record.value, headers=headers)
    return added is not None


@lru_cache(maxsize=300_000)
def _partition(key: bytes, count: int) -> int:
    """Where the producer would send this key."""
    partitions = list(range(count))
    return int(DefaultPartitioner()(key, partitions, partitions))
