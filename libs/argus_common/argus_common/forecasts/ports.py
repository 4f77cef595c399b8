"""What following forecasts needs of the outside, by role."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from argus_common.events import Record
from argus_common.kafka.dead_letters import DeadLetter

FleetKey = tuple[str, int]
"""Fleet and step length in seconds: steps of another length are numbered otherwise, so they are another fleet's."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is remembered of a partition. ``position``: offset from which to read on.

    ``fleets``: fleet → its state. ``unsent``: fleet → events that are not known to be acknowledged, in order.
    """

    position: int
    fleets: Mapping[FleetKey, bytes]
    unsent: Mapping[FleetKey, Sequence[Record]] = field(default_factory=dict)


class Store(Protocol):
    """Remembers partitions. State, position and the events that follow are written together, or not at all."""

    async def take_over(self, partition: int) -> Kept | None:
        """Become its holder; what the last one left, None = nothing is known."""
        ...

    async def save(self, partition: int, changed: Kept, *, whole: bool) -> bool:
        """Remember it; ``whole``: these are all fleets of the partition. False = the store was emptied meanwhile and
        nothing was written: save the whole.

        Raises:
            TakenOverError: another replica holds the partition.
        """
        ...

    async def told(self, partition: int, fleets: Iterable[FleetKey]) -> None:
        """The events of these fleets are acknowledged.

        Raises:
            TakenOverError: another replica holds the partition.
        """
        ...


class Publisher(Protocol):
    """Events and dead letters; both return when everything is acknowledged."""

    async def send(self, topic: str, records: Iterable[Record]) -> None:
        """Publish records to a topic of the catalogue."""
        ...

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        """Publish dead letters."""
        ...
