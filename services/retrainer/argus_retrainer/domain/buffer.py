"""Windows that are read but not yet in the archive: bounded, by partition, dropped when a partition is taken away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from argus_common.events import WindowClosed


@dataclass(slots=True)
class Held:
    """Of one partition: the records ``first`` to ``last`` were read, and these are the windows among them."""

    first: int
    last: int
    windows: list[WindowClosed]


@dataclass(slots=True)
class WindowBuffer:
    """Collects until ``most`` windows are held or the oldest has waited ``seconds``."""

    most: int
    seconds: float
    _held: dict[int, Held] = field(default_factory=dict)
    _since: float | None = None

    def add(self, partition: int, first: int, last: int, windows: Sequence[WindowClosed], now: float) -> None:
        """Take in what the records ``first`` to ``last`` hold."""
        if self._since is None:
            self._since = now
        held = self._held.setdefault(partition, Held(first, last, []))
        held.last = last
        held.windows.extend(windows)

    def drop(self, partitions: Iterable[int]) -> None:
        """Forget partitions: whoever holds them now reads the same again."""
        for partition in partitions:
            self._held.pop(partition, None)
        if not self._held:
            self._since = None

    def due(self, now: float) -> bool:
        """Whether it is time to write."""
        if self._since is None:
            return False
        return now - self._since >= self.seconds or sum(len(held.windows) for held in self._held.values()) >= self.most

    def take(self) -> dict[int, Held]:
        """Everything, to be written; the buffer is empty then."""
        held, self._held, self._since = self._held, {}, None
        return held
