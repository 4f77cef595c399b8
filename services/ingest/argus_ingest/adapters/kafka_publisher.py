"""Windows and dead letters to Kafka; returns when the broker has acknowledged every one."""

from collections.abc import Sequence

from argus_common.events import Record
from argus_common.kafka.dead_letters import DeadLetter
from argus_common.kafka.outbox import Outbox
from argus_common.topics import WINDOWS


class KafkaPublisher:
    """Publishes through one outbox. Records carry the time they were sent, not their event time: a topic keeps records
    by their own time, and the windows of an old trace would be deleted at once.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def windows(self, records: Sequence[Record]) -> None:
        """Publish windows, keyed by server."""
        await self._outbox.send(WINDOWS.name, records)

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Publish dead letters, keyed by their topic."""
        await self._outbox.bury(letters)
