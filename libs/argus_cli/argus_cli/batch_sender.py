"""Sends a trace: while the broker takes one part in, the next is made."""

import asyncio
from collections.abc import Awaitable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from argus_common.errors import TransientError
from argus_common.events import Record
from argus_common.kafka.bulk import hand_over


class BatchSender:
    """Sends keyed records to one topic, in order per key. At most two calls' records wait for the broker.

    Records carry the time they were sent, not their event time: a topic keeps records by their own time, and those of
    an old trace would be deleted at once.
    """

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._unacknowledged: list[Awaitable[object]] = []

    async def send(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        """Hand these records over and return when those of the call before are acknowledged.

        Raises:
            TransientError: the broker did not take them in time.
        """
        before, self._unacknowledged = self._unacknowledged, []
        records = (Record(key, value, ()) for key, value in zip(keys, values, strict=True))
        try:
            await hand_over(self._producer, self._topic, records, self._unacknowledged)
            await asyncio.gather(*before)
        except KafkaError as error:
            await asyncio.gather(*before, *self._unacknowledged, return_exceptions=True)  # none is left behind
            raise TransientError(f"Kafka did not take records for {self._topic}: {error}") from error

    async def finish(self) -> None:
        """Return when everything is acknowledged.

        Raises:
            TransientError: the broker did not take the last records in time.
        """
        await self.send([], [])
