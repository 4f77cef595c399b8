"""The fleets of the partitions that are ours, as far as following them goes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from argus_common.events import Record
from argus_common.forecasts.collector import Collector
from argus_common.forecasts.ports import FleetKey


class Followed(Protocol):
    """A fleet. ``unsent``: events that are not known to be acknowledged."""

    unsent: list[Record]

    @property
    def collector(self) -> Collector[Any]:
        """Which gathers its forecasts."""
        ...

    def first_needed(self) -> int | None:
        """Offset of the first record that is not in what `pack` tells, None = all are."""
        ...

    def pack(self) -> bytes:
        """All that must survive."""
        ...


FleetT = TypeVar("FleetT", bound=Followed)
FleetT_co = TypeVar("FleetT_co", bound=Followed, covariant=True)


class Makes(Protocol[FleetT_co]):
    """Makes fleets, new ones and from what was kept."""

    def new(self) -> FleetT_co:
        """One of which nothing is known."""
        ...

    def restored(self, key: FleetKey, raw: bytes, unsent: Sequence[Record]) -> FleetT_co:
        """One as its last holder left it; a new one where that can't be read."""
        ...


@dataclass(slots=True)
class Owned(Generic[FleetT]):
    """A partition that this replica holds. ``read``: offset of the next record that is read."""

    read: int | None
    fleets: dict[FleetKey, FleetT] = field(default_factory=dict)

    def needed(self) -> int | None:
        """Offset of the first record that what is saved does not hold yet; None = nothing was read."""
        firsts = [first for fleet in self.fleets.values() if (first := fleet.first_needed()) is not None]
        return min(firsts) if firsts else self.read
