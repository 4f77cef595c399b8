"""The dead-letter topic: read it from end to end once, and send originals again to where they came from."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from argus_cli.dead_letters.letters import Letter, Selection, letter_of
from argus_common.errors import ConfigurationError, TransientError
from argus_common.kafka import build_consumer, build_producer, connect
from argus_common.kafka.partitions import partitions_of
from argus_common.settings import KafkaSettings
from argus_common.topics import DEAD_LETTERS

POLL_MS = 1000
SENT_TOGETHER = 500


async def letters(settings: KafkaSettings, selection: Selection) -> AsyncIterator[Letter]:
    """The wanted letters that are on the topic now, in order per partition; what comes meanwhile is left out.

    Raises:
        TransientError: Kafka can't be reached, or stops answering.
        ConfigurationError: there is no dead-letter topic.
    """
    name = settings.topic(DEAD_LETTERS.name)
    consumer = build_consumer(settings, group=None, client_id="argus-dead-letters")
    await connect(consumer, settings)
    try:
        partitions = await partitions_of(settings, name)
        if not partitions:
            raise ConfigurationError(f"there is no topic {name}; `argus topics provision` creates it")
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        await _seek(consumer, partitions, selection, ends)
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for tp, records in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                for letter in (letter_of(record) for record in records if record.offset < ends[tp]):
                    if selection.wants(letter):
                        yield letter
    except KafkaError as error:
        raise TransientError(f"Kafka at {settings.bootstrap_servers}: {error}") from error
    finally:
        await consumer.stop()


async def _seek(
    consumer: AIOKafkaConsumer,
    partitions: Sequence[TopicPartition],
    selection: Selection,
    ends: dict[TopicPartition, int],
) -> None:
    if selection.ids:
        first = selection.first_offsets()
        for tp in partitions:
            consumer.seek(tp, min(first.get(tp.partition, ends[tp]), ends[tp]))
        return
    if selection.since_ms is None:
        await consumer.seek_to_beginning(*partitions)
        return
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, selection.since_ms))
    for tp in partitions:
        at = found.get(tp)
        consumer.seek(tp, ends[tp] if at is None else at.offset)


async def send_again(settings: KafkaSettings, chosen: Iterable[Letter]) -> int:
    """Send originals to the partitions they came from, as new records that say from which letter; how many were sent.

    They go to their own partition rather than by key: a producer may have a partitioner of its own, and all records of
    a server must stay in one partition.

    Raises:
        TransientError: Kafka did not take them all; sending them once more doubles nothing that ingest counts.
    """
    producer = build_producer(settings, "argus-dead-letters")
    await connect(producer, settings)
    sent = 0
    waiting: list[asyncio.Future[object]] = []
    try:
        for letter in chosen:
            origin = [("argus_resent_from", f"{DEAD_LETTERS.name}/{letter.id}".encode())]
            waiting.append(
                await producer.send(
                    letter.topic, letter.value, letter.key, partition=letter.source_partition, headers=origin
                )
            )
            sent += 1
            if len(waiting) >= SENT_TOGETHER:
                await asyncio.gather(*waiting)
                waiting = []
        await asyncio.gather(*waiting)
    except (KafkaError, AssertionError) as error:
        raise TransientError(f"Kafka did not take the record again: {error}") from error
    finally:
        await producer.stop()
    return sent
