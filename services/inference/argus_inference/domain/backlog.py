"""Windows that were read and not forecast from yet: the newest of each server."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from argus_common.events import WindowClosed

FORGET_SECONDS = 86_400
"""A server without a window for a day of event time is forgotten."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A window as it was read. ``timestamp_ms``: when it was published, wall clock."""

    window: WindowClosed
    partition: int
    timestamp_ms: int

    @property
    def name(self) -> str:
        """The server, unique over fleets; what its ring is called."""
        return f"{self.window.fleet}/{self.window.server}"

    @property
    def end(self) -> int:
        """End of the window, seconds since the epoch."""
        return (self.window.step + 1) * self.window.step_seconds


@dataclass(slots=True)
class Backlog:
    """Holds what was read until nothing is queued behind it, so that each server is forecast from its newest window.

    After an outage or a history fill the queue is thus read at the speed of decoding, and only what is still of use
    is forecast. ``hold_seconds`` bounds the wait where the queue never empties.
    """

    hold_seconds: float
    _ends: dict[int, dict[str, int]] = field(default_factory=dict)
    """Partition → server → end of its newest window."""
    _waiting: dict[str, Arrived] = field(default_factory=dict)
    _offsets: dict[int, int] = field(default_factory=dict)
    _queued: dict[int, int] = field(default_factory=dict)
    _since: float = 0.0

    def add(self, arrived: Iterable[Arrived], offsets: Mapping[int, int], queued: Mapping[int, int], now: float) -> int:
        """How many windows are of no use, since a newer one of their server was read.

        Args:
            arrived: the windows of a batch, in order.
            offsets: partition → offset after its last record in the batch, readable or not.
            queued: partition → records behind the batch.
            now: monotonic seconds.
        """
        if not self._offsets:
            self._since = now
        self._offsets |= offsets
        self._queued |= queued
        skipped = sum([self._superseded(one) for one in arrived])
        for partition in offsets:
            self._forget(partition)
        return skipped

    def _superseded(self, one: Arrived) -> int:
        ends = self._ends.setdefault(one.partition, {})
        if one.end < ends.get(one.name, 0):
            return 1
        ends[one.name] = one.end
        replaced = one.name in self._waiting
        self._waiting[one.name] = one
        return int(replaced)

    def _forget(self, partition: int) -> None:
        ends = self._ends.get(partition, {})
        oldest = max(ends.values(), default=0) - FORGET_SECONDS
        if any(end < oldest for end in ends.values()):
            self._ends[partition] = {name: end for name, end in ends.items() if end >= oldest}

    def due(self, now: float) -> bool:
        """Whether it is time to forecast: all was read, or something has been held for long enough."""
        if not self._offsets:
            return False
        return not any(self._queued.values()) or now - self._since >= self.hold_seconds

    def take(self) -> tuple[list[Arrived], dict[int, int]]:
        """The windows to forecast from, and per partition the offset to commit once that is done."""
        taken = list(self._waiting.values()), self._offsets
        self._waiting, self._offsets, self._queued = {}, {}, {}
        return taken

    def restart(self, partitions: Iterable[int]) -> None:
        """After a rebalance: these partitions are ours and begin again where they were committed."""
        kept = set(partitions)
        self._waiting, self._offsets, self._queued = {}, {}, {}
        self._ends = {partition: ends for partition, ends in self._ends.items() if partition in kept}
