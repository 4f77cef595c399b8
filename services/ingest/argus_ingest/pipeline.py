"""The order of effects: dead letters, rings, events, state; the caller then commits offsets.

A crash between any two of them repeats the later ones with the same bytes and ids, and loses nothing.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np

from argus_common.clock import Clock
from argus_common.events import Record
from argus_common.insist import insist
from argus_common.kafka.dead_letters import DeadLetter, FloodGuard, Origin, dead_letter
from argus_common.metrics import Catalogue
from argus_common.ops import Health
from argus_common.retry import Backoff
from argus_ingest.domain.aggregate import Aggregator, Windows
from argus_ingest.domain.decode import Decoded, Decoder
from argus_ingest.domain.encode import encode_windows
from argus_ingest.domain.fleet import FleetLedger
from argus_ingest.domain.partition import PartitionWindows, Progress
from argus_ingest.domain.repeats import RepeatLimit
from argus_ingest.domain.servers import ServerTable
from argus_ingest.domain.snapshot import Change, Snapshot
from argus_ingest.domain.steps import StepClock
from argus_ingest.metrics import IngestMetrics
from argus_ingest.ports import PartitionStore, Publisher, Rebuilder, Rings

ResultT = TypeVar("ResultT")

SERVICE = "ingest"
TIDY_SHARE = 0.25
"""Of the numbers of servers that may be unused before they are given anew."""

_log = logging.getLogger("argus.ingest")


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything that ingest touches."""

    rings: Rings
    store: PartitionStore
    publisher: Publisher
    rebuilder: Rebuilder
    clock: Clock
    health: Health
    backoff: Backoff = field(default_factory=Backoff)

    async def insist(self, whom: str, what: str, operation: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """The result of ``operation``, tried again while ``whom`` is unwell; meanwhile not ready, but alive.

        Raises:
            TransientError: it stays unwell for longer than the retries last.
        """
        return await insist(self.health, whom, what, operation, self.backoff)


@dataclass(slots=True)
class Owned:
    """A partition that this replica holds."""

    windows: PartitionWindows
    ledger: FleetLedger


@dataclass(slots=True)
class Effects:
    """What a round of batches asks of the outside."""

    letters: list[DeadLetter] = field(default_factory=list)
    windows: dict[int, list[Windows]] = field(default_factory=dict)
    read: int = 0
    unreadable: int = 0


class Pipeline:
    """Takes batches of records in, and carries out what they bring about."""

    def __init__(
        self,
        catalogue: Catalogue,
        decoder: Decoder,
        servers: ServerTable,
        step: StepClock,
        outside: Outside,
        metrics: IngestMetrics,
        guard: FloodGuard,
        silence_steps: int,
        forget_steps: int,
    ) -> None:
        self._names, self._received = catalogue.names(), len(catalogue.received())
        self._aggregator = Aggregator(catalogue)
        self._decoder, self._servers, self._step = decoder, servers, step
        self._outside, self._metrics, self._guard = outside, metrics, guard
        self._silence_steps, self._forget_steps = silence_steps, forget_steps
        self._repeats = RepeatLimit()
        self.owned: dict[int, Owned] = {}

    async def acquire(self, partitions: Sequence[int]) -> None:
        """Take partitions over where their last holders left them; what the store lost is rebuilt first."""
        outside = self._outside
        load = outside.store.load
        found = {p: await outside.insist("redis", "load a partition", partial(load, p)) for p in partitions}
        missing = [partition for partition, snapshot in found.items() if snapshot is None]
        for partition, snapshot in (await self._rebuilt(missing)).items():
            known = Change(snapshot.position, snapshot.heads, snapshot.sums, snapshot.sums, profiles=snapshot.profiles)
            await self._remember(partition, known)
            found[partition] = snapshot
        self.owned |= {partition: self._restored(snapshot) for partition, snapshot in found.items() if snapshot}

    def release(self, partitions: Iterable[int]) -> None:
        """Forget partitions; their open steps are read again by the next holder."""
        for partition in partitions:
            self.owned.pop(partition, None)

    def take(self, partition: int, records: Sequence[Origin], effects: Effects) -> None:
        """Decode a batch of an acquired partition and move its windows on."""
        owned, clock = self.owned[partition], self._outside.clock
        decoded = self._decoder.decode([r.value for r in records], [r.offset for r in records], clock.now_ms())
        progress = owned.windows.add(decoded.rows, records[-1].offset + 1, clock.monotonic())
        self._explain_late(decoded, progress)
        self._account(records, decoded, progress)
        effects.letters += self._letters(records, decoded)
        unreadable = decoded.unreadable()
        effects.unreadable += unreadable
        effects.read += len(records) - unreadable
        if progress.windows:
            effects.windows.setdefault(partition, []).extend(progress.windows)

    def close_idle(self, partition: int, idle_seconds: float, effects: Effects) -> None:
        """Close what is due by the wall clock on a partition that is known to be read to its end."""
        owned, clock = self.owned[partition], self._outside.clock
        progress = owned.windows.close_idle(clock.monotonic(), clock.now_ms(), idle_seconds)
        if progress.windows:
            effects.windows.setdefault(partition, []).extend(progress.windows)

    async def carry_out(self, effects: Effects) -> None:
        """Make the effects real, in order.

        Raises:
            TransientError: something outside stays unwell; the process should end without committing.
            DeadLetterFloodError: too many recent records were unreadable; their dead letters are out, to tell why.
            TakenOverError: another replica holds one of the partitions now; what was published is what it publishes.
        """
        outside = self._outside
        if effects.letters:
            await outside.insist("kafka", "send dead letters", lambda: outside.publisher.dead_letters(effects.letters))
        self._guard.record(read=effects.read, unreadable=effects.unreadable)
        if effects.windows:
            with self._metrics.flush.time():
                await self._publish(effects.windows)

    def committable(self) -> dict[int, int]:
        """Offset per partition up to which nothing is needed any more, of those that something was read from."""
        offsets = {partition: owned.windows.committable() for partition, owned in self.owned.items()}
        return {partition: offset for partition, offset in offsets.items() if offset is not None}

    def wake(self) -> None:
        """The broker was away: nobody was idle meanwhile."""
        for owned in self.owned.values():
            owned.windows.wake(self._outside.clock.monotonic())

    def tidy(self) -> None:
        """Forget the servers that no partition of ours knows; only between rounds, for it changes their numbers."""
        used = np.zeros(len(self._servers), bool)
        for owned in self.owned.values():
            used |= owned.windows.servers()
        unused = len(used) - int(used.sum())
        if unused and (unused >= len(used) * TIDY_SHARE or len(used) >= self._servers.max_servers):
            for owned in self.owned.values():
                owned.windows.renumber(used)
            self._servers.keep(used.tolist())

    async def _publish(self, closed: Mapping[int, list[Windows]]) -> None:
        windows = {partition: several for partition, several in closed.items() if partition in self.owned}
        if not windows:
            return  # of partitions that were taken away meanwhile; their next holder makes the same
        outside, every = self._outside, [w for several in windows.values() for w in several]
        await self.restore_lost(windows)
        names = [self._servers.names[number] for w in every for number in w.server.tolist()]
        steps = np.concatenate([np.full(len(w), w.step, np.int64) for w in every])
        values = np.concatenate([w.values for w in every]).astype(np.float32)
        await outside.insist("redis", "write rings", lambda: outside.rings.write(names, steps, values))
        records = [record for p, several in windows.items() for record in self._encoded(p, several)]
        await outside.insist("kafka", "publish windows", lambda: outside.publisher.windows(records))
        changes = {p: self._change(p, several) for p, several in windows.items()}
        await outside.insist("redis", "save partitions", lambda: outside.store.save(changes))
        self._metrics.windows.inc(len(records))

    def _encoded(self, partition: int, windows: Iterable[Windows]) -> Iterator[Record]:
        read_up_to = f"{partition}:{self.owned[partition].windows.accounted}"
        for several in windows:
            yield from encode_windows(several, self._servers, self._names, self._step.step_ms // 1000, read_up_to)

    async def restore_lost(self, partitions: Iterable[int]) -> None:
        """Where Redis was emptied, rebuild the rings before anything is written, and tell it again all that we know."""
        outside, asked = self._outside, list(partitions)
        lost = await outside.insist("redis", "look for marks", lambda: outside.store.lost(asked))
        for partition in await self._rebuilt(lost):
            if partition in self.owned:
                owned = self.owned[partition]
                sums = owned.ledger.sums
                await self._remember(partition, replace(owned.windows.everything(), sums=sums, changed=sums))

    async def _rebuilt(self, partitions: Sequence[int]) -> dict[int, Snapshot]:
        if not partitions:
            return {}
        _log.info("rebuilding rings from the windows topic", extra={"partitions": list(partitions)})
        outside = self._outside
        return await outside.insist("kafka, redis", "rebuild rings", lambda: outside.rebuilder.rebuild(partitions))

    async def _remember(self, partition: int, change: Change) -> None:
        outside = self._outside
        await outside.insist("redis", "save a partition", lambda: outside.store.save({partition: change}))
        await outside.insist("redis", "mark a partition", lambda: outside.store.mark(partition))

    def _change(self, partition: int, windows: list[Windows]) -> Change:
        owned = self.owned[partition]
        change = owned.windows.take_change()
        if change.forgotten:
            owned.ledger.keep(owned.windows.fleets())
        changed = owned.ledger.add(windows, self._servers, self._names)
        return replace(change, sums=owned.ledger.sums, changed=changed)

    def _restored(self, snapshot: Snapshot) -> Owned:
        self._servers.remember(snapshot.profiles)
        windows = PartitionWindows(
            self._step,
            self._aggregator,
            self._servers,
            self._received,
            snapshot,
            self._silence_steps,
            self._forget_steps,
        )
        return Owned(windows, FleetLedger.restored(snapshot.sums))

    def _explain_late(self, decoded: Decoded, progress: Progress) -> None:
        for row in progress.late:
            server = self._servers.names[int(decoded.rows.server[row])]
            moment = np.datetime64(int(decoded.rows.time_ms[row]), "ms")
            decoded.verdicts.reject(
                int(decoded.source[row]), "late", f"{server} at {moment}Z: its step was closed already"
            )

    def _account(self, records: Sequence[Origin], decoded: Decoded, progress: Progress) -> None:
        metrics = self._metrics
        metrics.records.inc(len(records))
        metrics.samples.inc(decoded.samples)
        metrics.replayed.inc(progress.replayed)
        metrics.servers.set(len(self._servers))
        for reason, count in decoded.verdicts.counts().items():
            metrics.rejected.labels(reason).inc(count)

    def _letters(self, records: Sequence[Origin], decoded: Decoded) -> list[DeadLetter]:
        letters = []
        now = self._outside.clock.monotonic()
        for index in sorted(decoded.verdicts.by_record):
            reason, detail = decoded.verdicts.summary(index)
            if decoded.verdicts.only(index, "unknown_metric") and not self._repeats.due(detail, now):
                continue
            letters.append(dead_letter(records[index], SERVICE, reason, detail))
            self._metrics.dead_letters.labels(reason).inc()
        return letters
