"""What the retrainer needs of the outside, by role."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from aiokafka import ConsumerRecord

from argus_common.kafka.dead_letters import DeadLetter
from argus_retrainer.domain.archive_day import Day
from argus_retrainer.domain.buffer import Held


class WindowSource(Protocol):
    """The windows topic, read in a group."""

    async def poll(self, wait_ms: int) -> Mapping[int, "Sequence[ConsumerRecord[bytes, bytes]]"]:
        """The next records by partition; empty where nothing comes."""
        ...

    def take_revoked(self) -> set[int]:
        """Partitions that were taken away since the last call."""
        ...

    def assigned(self) -> list[int]:
        """The partitions that are ours now."""
        ...

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """Commit what moved."""
        ...

    def lag(self) -> dict[int, int]:
        """Records that are not read yet, by partition."""
        ...

    async def read_to_end(self) -> list[int] | None:
        """Our partitions that are read to their end; None if the broker does not answer."""
        ...


class DayFiles(Protocol):
    """The files of a day."""

    @property
    def files(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102


class Archive(Protocol):
    """Every window that was closed, for as long as it is kept. Blocks: call it in a thread."""

    def add(self, partition: int, held: Held) -> int:
        """Write durably what was read of a partition; the number of files. Again the same does no harm."""
        ...

    def days(self) -> Mapping[Day, DayFiles]:
        """Every day that is there."""
        ...

    def compact(self, day: Day, files: tuple[str, ...]) -> bool:
        """One file in place of these; False where another process did it at the same moment."""
        ...

    def drop(self, day: Day, files: tuple[str, ...]) -> None:
        """Delete a day."""
        ...


class LetterBox(Protocol):
    """Where what can't be read goes."""

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Send dead letters; returns when all are acknowledged."""
        ...
