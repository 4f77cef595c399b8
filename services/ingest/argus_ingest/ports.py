"""What ingest needs of the outside, by role."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from argus_common.events import Record
from argus_common.kafka.dead_letters import DeadLetter
from argus_common.ring.layout import Floats, Steps
from argus_ingest.domain.snapshot import Change, Snapshot


class Rings(Protocol):
    """The history of every server."""

    async def write(self, names: Sequence[str], steps: Steps, values: Floats) -> None:
        """Write rows; idempotent."""
        ...


class PartitionStore(Protocol):
    """Snapshots of partitions. Each is held by the replica that loaded it last."""

    async def load(self, partition: int) -> Snapshot | None:
        """Take the partition over: the last snapshot, which nobody else changes from now on; None where the mark is
        missing (a new installation, or the store was emptied).
        """
        ...

    async def save(self, changes: Mapping[int, Change]) -> None:
        """Write several partitions' changes, all or nothing.

        Raises:
            TakenOverError: another replica has loaded one of them since.
        """
        ...

    async def mark(self, partition: int) -> None:
        """State that the rings of this partition's servers are complete."""
        ...

    async def lost(self, partitions: Sequence[int]) -> list[int]:
        """Which of these lack the mark: the store was emptied since.

        Raises:
            TransientError: the store does not answer, whether or not any is named.
        """
        ...


class Publisher(Protocol):
    """Events and dead letters."""

    async def windows(self, records: Sequence[Record]) -> None:
        """Publish; returns when all are acknowledged."""
        ...

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Publish; returns when all are acknowledged."""
        ...


class Rebuilder(Protocol):
    """Restores from the windows topic what the store lost."""

    async def rebuild(self, partitions: Sequence[int]) -> dict[int, Snapshot]:
        """Write the rings of these partitions' servers again; heads and sums as the topic tells them."""
        ...
