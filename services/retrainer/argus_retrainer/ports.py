"""What the retrainer needs of the outside, by role."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from aiokafka import ConsumerRecord

from argus_common.events import ModelRolledBack, Record
from argus_common.kafka.dead_letters import DeadLetter
from argus_retrainer.domain.archive_day import Day
from argus_retrainer.domain.buffer import Held
from argus_retrainer.domain.spans import Span


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


class Topics(Protocol):
    """Topics that are read from their beginning and then followed."""

    async def begin(self, since_ms: int | None = None) -> None:
        """Read from the beginning, or what was written since then."""
        ...

    async def caught_up(self) -> bool:
        """Whether all that was there at the beginning is read."""
        ...

    async def poll(self) -> "Sequence[ConsumerRecord[bytes, bytes]]":
        """What comes next; empty where nothing does for a moment."""
        ...

    async def stop(self) -> None:
        """Disconnect."""
        ...


class Lease(Protocol):
    """Held by one replica at a time, which may claim a training."""

    async def hold(self) -> bool:
        """Take it or prolong it; whether it is ours now."""
        ...

    async def claim(self, training: bytes) -> bool:
        """Remember what is being trained, empty = nothing; False where the lease was lost."""
        ...

    async def claimed(self) -> bytes | None:
        """What was claimed and not given up, by whomever."""
        ...

    async def release(self) -> None:
        """Let another replica take over at once."""
        ...


class Launcher(Protocol):
    """Where jobs run."""

    async def launch(self, version: str) -> None:
        """Start the job whose order lies in the folder of its version."""
        ...

    async def runs(self, version: str) -> bool:
        """Whether it runs, or waits to."""
        ...

    async def cancel(self, version: str) -> None:
        """End it; one that is gone is fine."""
        ...


class EventBox(Protocol):
    """Where events go."""

    async def send(self, topic: str, records: Sequence[Record]) -> None:
        """Publish; returns when all are acknowledged."""
        ...


class SpanStore(Protocol):
    """Spans that nothing may be learned from, kept for as long as the archive. Blocks: call it in a thread."""

    def kept(self, more: set[Span]) -> set[Span]:
        """Add these and return all."""
        ...


class Versions(Protocol):
    """The versions of the model. Blocks."""

    def tidy(self, trained: Sequence[str], served: Sequence[str]) -> None:
        """Delete those that are too many. ``trained``: by the retrainer, the oldest first; ``served``: the serving one
        last.
        """
        ...

    def rollback(self, served: Sequence[str], reason: str, at_ms: int) -> ModelRolledBack:
        """The version before the serving one shall serve again."""
        ...
