"""A topic read in a consumer group: batches by partition, explicit commits, and what the broker knows about the end."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from argus_common.errors import TransientError

Batch = list["ConsumerRecord[bytes, bytes]"]

POLL_AGAIN_SECONDS = 1.0
END_PROBE_SECONDS = 3.0

_log = logging.getLogger("argus.source")


@dataclass(slots=True)
class Assignment(ConsumerRebalanceListener):  # type: ignore[misc] # the library is untyped
    """Which partitions are ours, and how often that changed."""

    generation: int = 0
    revoked: set[int] = field(default_factory=set)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Whatever is held of these partitions is worthless from now on."""
        self.generation += 1
        self.revoked |= {tp.partition for tp in revoked}

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """They begin at their committed offsets."""
        _log.info("partitions assigned", extra={"partitions": sorted(tp.partition for tp in assigned)})


class KafkaSource:
    """Reads one topic in a consumer group."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        topic: str,
        poll_again_seconds: float = POLL_AGAIN_SECONDS,
        end_probe_seconds: float = END_PROBE_SECONDS,
    ) -> None:
        self._consumer, self._topic = consumer, topic
        self._poll_again_seconds, self._end_probe_seconds = poll_again_seconds, end_probe_seconds
        self._assignment = Assignment()
        self._committed: dict[int, int] = {}

    async def start(self) -> None:
        """Join the group.

        Raises:
            TransientError: the broker can't be reached.
        """
        try:
            await self._consumer.start()
        except KafkaError as error:
            raise TransientError(f"Kafka: {error}") from error
        self._consumer.subscribe([self._topic], listener=self._assignment)

    async def stop(self) -> None:
        """Leave the group."""
        await self._consumer.stop()

    @property
    def generation(self) -> int:
        """Rises with every rebalance; what was fetched under an older one must not be used."""
        return self._assignment.generation

    def take_revoked(self) -> set[int]:
        """Partitions that were taken away since the last call."""
        revoked, self._assignment.revoked = self._assignment.revoked, set()
        for partition in revoked:
            self._committed.pop(partition, None)
        return revoked

    def assigned(self) -> list[int]:
        """The partitions that are ours now."""
        return sorted(tp.partition for tp in self._consumer.assignment())

    async def poll(self, wait_ms: int) -> dict[int, Batch]:
        """The next records by partition; empty where nothing comes for ``wait_ms`` or the broker is away."""
        try:
            batches = await self._consumer.getmany(timeout_ms=wait_ms)
        except KafkaError as error:
            _log.warning("poll failed, trying again", extra={"error": str(error)})
            await asyncio.sleep(self._poll_again_seconds)
            return {}
        return {tp.partition: records for tp, records in batches.items()}

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """Commit what moved. A rebalance or an outage only means that more will be read again."""
        moved = {p: offset for p, offset in offsets.items() if self._committed.get(p) != offset}
        wanted = {TopicPartition(self._topic, p): OffsetAndMetadata(offset, "") for p, offset in moved.items()}
        if not wanted:
            return
        try:
            await self._consumer.commit(wanted)
        except (CommitFailedError, IllegalStateError) as error:
            _log.info("commit refused after a rebalance", extra={"error": str(error)})
        except KafkaError as error:
            _log.warning("commit failed, it is repeated", extra={"error": str(error)})
        else:
            self._committed |= moved

    async def rewind(self) -> None:
        """Read all partitions that are ours now from their committed offsets again.

        Raises:
            TransientError: the broker does not say where those are.
        """
        self._committed.clear()
        try:
            for tp in self._consumer.assignment():
                offset = await self._consumer.committed(tp)
                await self._consumer.seek_to_beginning(tp) if offset is None else self._consumer.seek(tp, offset)
        except IllegalStateError:
            return  # it is taken away at this moment, and whoever gets it begins there anyway
        except KafkaError as error:
            raise TransientError(f"Kafka: {error}") from error

    def lag(self) -> dict[int, int]:
        """Records that are not read yet, by partition, as of the last fetch."""
        lags = {}
        for tp in self._consumer.assignment():
            end, position = self._consumer.highwater(tp), self._consumer._subscription.subscription  # noqa: SLF001
            if end is not None and position is not None:
                state = position.assignment.state_value(tp)
                if state is not None and state.has_valid_position:
                    lags[tp.partition] = max(0, end - state.position)
        return lags

    async def read_to_end(self) -> list[int] | None:
        """Our partitions that are read to their end, as the broker itself says now; None if it does not answer."""
        assigned = list(self._consumer.assignment())
        if not assigned:
            return []
        try:
            async with asyncio.timeout(self._end_probe_seconds):
                ends = await self._consumer.end_offsets(assigned)
                return [tp.partition for tp in assigned if await self._consumer.position(tp) >= ends[tp]]
        except (KafkaError, TimeoutError):
            return None
