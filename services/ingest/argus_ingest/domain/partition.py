"""Event time of one partition: which steps are open, which samples come too late, when a server's step closes.

Every server has its own watermark, its newest event time less the allowed lateness, and closes its own steps. So a
server with a wrong clock can't close the steps of others, and what a window holds depends on the order of that
server's samples alone: not on batches, not on other servers, not on restarts. A server that falls silent is closed
by the wall clock once the partition is idle for it, or by the event time of the others after a long while.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from argus_ingest.domain.aggregate import Aggregator, Windows
from argus_ingest.domain.buffer import StepBuffer
from argus_ingest.domain.carry import CounterCarry, Parked
from argus_ingest.domain.known import KnownServers
from argus_ingest.domain.rows import Ints, Mask, SampleRows
from argus_ingest.domain.servers import ServerTable
from argus_ingest.domain.snapshot import Change, Snapshot
from argus_ingest.domain.steps import NEVER, StepClock, newest_before

SILENCE_CHECK_OFFSETS = 8192
"""Silence in event time is judged where the offset crosses a multiple of this, whatever the batches were."""

HELD_STEPS = 12
"""So far behind the others, the last sample of a counter is parked: it no longer holds the committed offset back."""


@dataclass(slots=True)
class Progress:
    """What a batch, or the passing of time, brought about."""

    windows: list[Windows] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    """Indices of rows that came after their step was closed, for the first time."""
    replayed: int = 0
    """Rows that were accounted for before a restart or a rebalance."""


class PartitionWindows:
    """The open steps of one partition.

    Args:
        clock: cuts event time into steps.
        aggregator: makes windows of samples.
        servers: numbers of all servers; may grow between calls.
        snapshot: what was saved before a restart.
        silence_steps: open steps this far behind the median of the partition are closed by event time.
        forget_steps: servers this far behind it, of which nothing comes any more, are forgotten.
    """

    def __init__(
        self,
        clock: StepClock,
        aggregator: Aggregator,
        servers: ServerTable,
        metrics: int,
        snapshot: Snapshot,
        silence_steps: int,
        forget_steps: int,
    ) -> None:
        self._clock, self._aggregator, self._servers = clock, aggregator, servers
        self._silence_steps, self._forget_steps = silence_steps, forget_steps
        self._accounted = snapshot.position
        self._next: int | None = None
        self._of = KnownServers(servers, snapshot.heads, snapshot.floor)
        self._open: dict[int, StepBuffer] = {}
        self._carry = CounterCarry(aggregator.counters, metrics, snapshot.parked)

    @property
    def accounted(self) -> int:
        """The offset up to which every record is in a window, in an open step, or refused; it never moves back, not
        even while what was accounted for before a restart is read again.
        """
        return max(self._accounted, self._next or 0)

    def add(self, rows: SampleRows, next_offset: int, now: float) -> Progress:
        """Take in the rows of a batch, in order of arrival, and close what is due.

        Args:
            rows: samples with offsets below ``next_offset``.
            next_offset: the offset after the batch.
            now: monotonic seconds, for telling idleness.
        """
        self._grow(now)
        progress = Progress()
        for begin, end, boundary in _blocks(rows.offset, self._began(rows), next_offset):
            self._add_block(rows.part(begin, end), begin, now, progress)
            if boundary is not None and boundary > self._accounted:
                self._judge_silence(progress)
        self._next = next_offset
        return progress

    def close_idle(self, now: float, now_ms: int, idle_seconds: float) -> Progress:
        """Close by the wall clock the steps of servers that have sent nothing for ``idle_seconds``.

        Only to be called while the partition is known to be read to its end and the broker to be well.
        """
        self._grow(now)
        progress = Progress()
        idle = self._has_open() & (self._of.seen <= now - idle_seconds)
        if idle.any():
            by_wall_clock = int(self._clock.closed_by(np.array([now_ms]))[0])
            self._close(idle, np.minimum(self._clock.step_of(self._of.newest), by_wall_clock), progress)
        return progress

    def wake(self, now: float) -> None:
        """Nobody counts as idle for what happened before ``now``: the broker was away."""
        self._of.seen[:] = now

    def committable(self) -> int | None:
        """The offset up to which nothing is needed any more: the oldest record of a still-open step.

        None until something was read: the open steps of before a restart are not in memory yet, only the committed
        offset knows where they begin.
        """
        if self._next is None:
            return None
        offsets = [buffer.oldest_offset() for buffer in self._open.values()]
        return min([*offsets, self._next, self._carry.oldest_offset()])

    def open_rows(self) -> int:
        """Samples in memory."""
        return sum(len(buffer) for buffer in self._open.values())

    def take_change(self) -> Change:
        """What became of the servers since the last call, without sums. It has to be saved before `committable` is
        committed: what it holds of counters that stopped no longer holds the offset back.
        """
        parked: Parked = {}
        if len(self._aggregator.counters):
            parked = self._carry.park((self._of.reached() - HELD_STEPS) * self._clock.step_ms, self._servers)
        of = self._of
        forgotten, heads = of.take_forgotten(), of.take_moved()
        profiles = self._servers.profiles_of(heads)
        return Change(self.accounted, heads, floor=of.floor, parked=parked, profiles=profiles, forgotten=forgotten)

    def everything(self) -> Change:
        """All that `take_change` ever told and that still holds, without sums."""
        parked, heads = self._carry.all_parked(self._servers), self._of.heads()
        profiles = self._servers.profiles_of(heads)
        return Change(self.accounted, heads, floor=self._of.floor, parked=parked, profiles=profiles)

    def fleets(self) -> set[str]:
        """The fleets of the servers of this partition."""
        return self._of.fleets()

    def servers(self) -> Mask:
        """(server,) The servers of this partition."""
        self._grow(0.0)
        return self._of.known()

    def renumber(self, kept: Mask) -> None:
        """The servers in ``kept`` (server,), all of this partition among them, are numbered anew, in their order."""
        self._of.renumber(kept)
        numbers = (np.cumsum(kept) - 1).astype(np.int32)
        self._carry.renumber(numbers)
        for buffer in self._open.values():
            buffer.renumber(numbers)

    def _began(self, rows: SampleRows) -> int:
        """The offset from which this batch is counted: where the last one ended, or after a restart, before it."""
        if self._next is not None:
            return self._next
        return min(self._accounted, int(rows.offset[0])) if len(rows) else self._accounted

    def _grow(self, now: float) -> None:
        known = len(self._of)
        if known < len(self._servers):
            self._of.grow(now)
            self._carry.heard(known, self._servers.names[known:])

    def _add_block(self, rows: SampleRows, first: int, now: float, progress: Progress) -> None:
        if len(rows) == 0:
            return
        of, clock = self._of, self._clock
        before, after = newest_before(rows.server, rows.time_ms, of.newest)
        step = clock.step_of(rows.time_ms)
        late = step <= np.maximum(of.closed[rows.server], clock.closed_by(before))
        if late.any():
            by_clock = step <= clock.closed_by(before)
            self._set_aside(rows, late, by_clock, first, progress)
            self._keep(rows.take(~late), step[~late])
        else:
            self._keep(rows, step)
        of.newest[rows.server] = after
        of.seen[rows.server] = now
        of.heard[rows.server] = True
        touched = np.zeros(len(of.newest), bool)
        touched[rows.server] = True
        self._close(touched, clock.closed_by(of.newest), progress)

    def _set_aside(self, rows: SampleRows, late: Mask, by_clock: Mask, first: int, progress: Progress) -> None:
        """Tell the late from what a window holds already; only that is carried, for ``by_clock`` it was late before."""
        replayed = late & (rows.offset < self._accounted)
        progress.replayed += int(replayed.sum())
        progress.late += (np.flatnonzero(late & ~replayed) + first).tolist()
        self._carry.keep_last(rows.take(replayed & ~by_clock))

    def _keep(self, rows: SampleRows, step: Ints) -> None:
        if len(rows) == 0:
            return
        if step.min() == step.max():
            self._open.setdefault(int(step[0]), StepBuffer()).add(rows)
            return
        for number in np.unique(step).tolist():
            self._open.setdefault(number, StepBuffer()).add(rows.take(step == number))

    def _close(self, servers: Mask, through: Ints, progress: Progress) -> None:
        """Close the steps of ``servers`` (server,) up to and including ``through`` (server,)."""
        of = self._of
        advanced = servers & (through > of.closed)
        if not advanced.any():
            return
        of.closed[advanced] = through[advanced]
        of.dirty |= advanced
        for step in sorted(number for number in self._open if number <= int(through[advanced].max())):
            due = advanced & (of.closed >= step)
            rows = self._open[step].take(due)
            if len(self._open[step]) == 0:
                del self._open[step]
            if len(rows):
                since_ms = (step - self._silence_steps) * self._clock.step_ms
                progress.windows.append(self._aggregator.windows(step, rows, self._carry.of(due, since_ms)))
                self._carry.keep_last(rows)

    def _judge_silence(self, progress: Progress) -> None:
        """Close what the others have left far behind; forget whom they have left behind for longer than all is kept.

        Judged by heads and open steps alone, which are the same after a restart once all was read again.
        """
        reached = self._of.reached()
        through = np.full(len(self._of), NEVER, np.int64)
        for step in sorted(step for step in self._open if step < reached - self._silence_steps):
            through[self._open[step].servers()] = step
        self._close(through > NEVER, through, progress)
        gone, names = self._of.forget(reached - self._forget_steps, reached, self._has_open)
        if names:
            self._carry.forget(gone, names)

    def _has_open(self) -> Mask:
        holders = np.zeros(len(self._of.newest), bool)
        for buffer in self._open.values():
            holders[buffer.servers()] = True
        return holders


def _blocks(offset: Ints, first: int, next_offset: int) -> Iterator[tuple[int, int, int | None]]:
    """(begin, end, boundary at which a check is due after it) of the row ranges between multiples of the check
    interval, in the offsets ``[first, next_offset)``.
    """
    begin = 0
    boundary = (first // SILENCE_CHECK_OFFSETS + 1) * SILENCE_CHECK_OFFSETS
    while boundary <= next_offset:
        end = int(np.searchsorted(offset, boundary))
        yield begin, end, boundary
        begin, boundary = end, boundary + SILENCE_CHECK_OFFSETS
    yield begin, len(offset), None
