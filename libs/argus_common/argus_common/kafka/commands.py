"""What people tell a service, from the commands topic: every replica hears all of it, from the oldest on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from argus_common.errors import MalformedEventError, TransientError
from argus_common.events import Event, decode_any
from argus_common.kafka.clients import build_consumer
from argus_common.kafka.connect import connect
from argus_common.kafka.dead_letters import DeadLetter, dead_letter
from argus_common.retry import retry
from argus_common.settings import KafkaSettings
from argus_common.topics import COMMANDS

CommandT = TypeVar("CommandT", bound=Event)

POLL_MS = 500
PAUSE_SECONDS = 1.0

_log = logging.getLogger("argus.commands")


@dataclass(frozen=True, slots=True)
class Hearing(Generic[CommandT]):
    """Who listens, and to what.

    ``asked``: the service whose commands are heard, the key on the topic; of these, those of ``kinds``. ``all_ours``:
    a command of another kind, or of none, is a dead letter; otherwise it is for the other listeners to judge.
    ``hear`` takes a command, ``refused`` counts one that can't be read, ``bury`` publishes dead letters.
    """

    service: str
    asked: str
    kinds: Sequence[type[CommandT]]
    hear: Callable[[CommandT], None]
    refused: Callable[[], None]
    bury: Callable[[Iterable[DeadLetter]], Awaitable[None]]
    all_ours: bool = True

    def wants(self, record: "ConsumerRecord[bytes, bytes]") -> bool:
        """Whether a command is for us."""
        kind = dict(record.headers).get("ce_type", b"").decode(errors="replace")
        return record.key == self.asked.encode() and (self.all_ours or kind in {kind.type for kind in self.kinds})

    async def take(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        """Hear a command that is for us, or bury it."""
        try:
            command = decode_any(self.kinds, record)
        except MalformedEventError as error:
            self.refused()
            letter = dead_letter(record, self.service, error.reason, str(error))
            await retry("dead letters", lambda: self.bury([letter]))
            return
        self.hear(command)
        _log.info("command heard", extra={"command": command.id()})


class Commands(Generic[CommandT]):
    """Reads what was told before it returns from ``start``, and what is told later beside everything else."""

    def __init__(self, kafka: KafkaSettings, hearing: Hearing[CommandT], fail: Callable[[BaseException], None]) -> None:
        """``fail`` is told of a fault that listening can't go on after."""
        self._kafka, self._hearing, self._fail = kafka, hearing, fail
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
            if self._hearing.wants(record):
                await self._hearing.take(record)
