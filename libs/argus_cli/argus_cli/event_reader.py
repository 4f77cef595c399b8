"""A topic of events, from some time ago on."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from argus_common.clock import Clock
from argus_common.errors import MalformedEventError, TransientError
from argus_common.events import Event, decode_any
from argus_common.kafka import build_consumer, connect
from argus_common.kafka.partitions import partitions_of
from argus_common.settings import KafkaSettings
from argus_common.topics import Topic

POLL_MS = 500

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Heard(Generic[E]):
    """Some events; ``caught_up``: nothing that was told before is missing any more. ``unreadable``: records skipped."""

    events: list[E]
    caught_up: bool
    unreadable: int


async def listen(
    kafka: KafkaSettings, topic: Topic, kinds: Sequence[type[E]], history: timedelta, clock: Clock
) -> AsyncIterator[Heard[E]]:
    """What was told within ``history`` (the broker's time), then what is told from now on; never ends.

    Raises:
        TransientError: Kafka can't be reached, or has no such topic.
        ConfigurationError: it refuses our credentials or has a certificate that we do not trust.
    """
    parts = await _partitions(kafka, kafka.topic(topic.name))
    consumer = build_consumer(kafka, group=None, client_id="argus-cli")
    await connect(consumer, kafka)
    try:
        consumer.assign(parts)
        ends = await _seek(consumer, parts, clock.now_ms() - round(history.total_seconds() * 1000))
        while True:
            batches = await consumer.getmany(timeout_ms=POLL_MS)
            events, bad = _decoded(kinds, (record for records in batches.values() for record in records))
            caught_up = all([await consumer.position(tp) >= ends[tp] for tp in parts])
            yield Heard(events, caught_up, bad)
    finally:
        await consumer.stop()


async def _partitions(kafka: KafkaSettings, topic: str) -> list[TopicPartition]:
    try:
        parts = await partitions_of(kafka, topic)
    except KafkaError as error:
        raise TransientError(f"Kafka does not say what partitions {topic} has: {error}") from error
    if not parts:
        raise TransientError(f"there is no topic {topic}: run argus topics provision")
    return parts


async def _seek(consumer: AIOKafkaConsumer, parts: list[TopicPartition], since_ms: int) -> dict[TopicPartition, int]:
    """Begin at the first record since then; (partition → end of what there is now)."""
    ends: dict[TopicPartition, int] = await consumer.end_offsets(parts)
    begins = await consumer.offsets_for_times(dict.fromkeys(parts, since_ms))
    for tp in parts:
        begin = begins.get(tp)
        consumer.seek(tp, ends[tp] if begin is None else begin.offset)
    return ends


def _decoded(kinds: Sequence[type[E]], records: Any) -> tuple[list[E], int]:  # noqa: ANN401 - the library is untyped
    events: list[E] = []
    bad = 0
    for record in records:
        try:
            events.append(decode_any(kinds, record))
        except MalformedEventError:
            bad += 1
    return events, bad
