"""What cascade needs of the outside, by role; and the detector, as the service sees it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from argus_cascade.domain.followers import Forecasts
from argus_cascade.domain.life.change import Changed
from argus_cascade.domain.tick import FleetTick
from argus_common.events import Record
from argus_common.kafka.dead_letters import DeadLetter

FleetKey = tuple[str, int]
"""Fleet and step length in seconds: steps of another length are numbered otherwise, so they are another fleet's."""


class Judged(Protocol):
    """What a tick has brought. ``health``: 0 … 100. ``share_abnormal``, ``risk``: 0 … 1. ``forecasts``: how followers
    were foretold so far.
    """

    @property
    def changes(self) -> tuple[Changed, ...]: ...  # noqa: D102
    @property
    def health(self) -> float: ...  # noqa: D102
    @property
    def share_abnormal(self) -> float: ...  # noqa: D102
    @property
    def risk(self) -> float: ...  # noqa: D102
    @property
    def forecasts(self) -> Forecasts: ...  # noqa: D102


class Detector(Protocol):
    """Of one fleet. The same snapshot has the same future."""

    def tick(self, tick: FleetTick, maintenance: Callable[[str, int], bool]) -> Judged:
        """Take in the forecasts of one step; ``maintenance``: (server, step) whether somebody works there."""
        ...

    def snapshot(self) -> bytes:
        """Everything it knows."""
        ...


class Detectors(Protocol):
    """Makes detectors."""

    def new(self) -> Detector:
        """One that knows nothing yet."""
        ...

    def restore(self, snapshot: bytes) -> Detector:
        """One that goes on from a snapshot.

        Raises:
            ValueError: it is of another version.
        """
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What is remembered of a partition. ``position``: offset from which to read on.

    ``fleets``: fleet → its state. ``unsent``: fleet → events that are not known to be acknowledged, in order.
    """

    position: int
    fleets: Mapping[FleetKey, bytes]
    unsent: Mapping[FleetKey, Sequence[Record]] = field(default_factory=dict)


class CascadeStore(Protocol):
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
