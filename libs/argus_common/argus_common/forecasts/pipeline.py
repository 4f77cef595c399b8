"""The order of effects: dead letters, state with its events, the events, state without them; the caller then commits.

A crash between any two of them repeats the later ones with the same bytes and ids, and loses nothing.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Generic, Protocol, TypeVar

from prometheus_client import Counter

from argus_common.clock import Clock
from argus_common.errors import MalformedEventError
from argus_common.events import Event, encode
from argus_common.forecasts.collector import Gathered, RowT, Taken
from argus_common.forecasts.decode import Forecast, decode_forecasts
from argus_common.forecasts.fleets import FleetT, Makes, Owned
from argus_common.forecasts.ports import FleetKey, Kept, Publisher, Store
from argus_common.insist import insist
from argus_common.kafka.dead_letters import DeadLetter, FloodGuard, dead_letter
from argus_common.kafka.records import EventRecord
from argus_common.ops import Health
from argus_common.retry import Backoff
from argus_common.topics import Topic

ResultT = TypeVar("ResultT")

_log = logging.getLogger("argus.forecasts")


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything that a service that follows forecasts touches."""

    store: Store
    publisher: Publisher
    clock: Clock
    health: Health
    backoff: Backoff = field(default_factory=Backoff)

    async def insist(self, whom: str, what: str, operation: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """The result of ``operation``, tried again while ``whom`` is unwell."""
        return await insist(self.health, whom, what, operation, self.backoff)


@dataclass(slots=True)
class Effects:
    """What a round asks of the outside. ``ticked``: (partition, fleet) → when the newest forecast was published."""

    letters: list[DeadLetter] = field(default_factory=list)
    ticked: dict[tuple[int, FleetKey], int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    read: int = 0
    unreadable: int = 0


class FollowingMetrics(Protocol):
    """What is counted of following."""

    @property
    def taken(self) -> Mapping[Taken, Counter]: ...  # noqa: D102
    @property
    def dead_letters(self) -> Counter: ...  # noqa: D102

    def told(self, events: Iterable[Event], published_ms: Iterable[int], now_ms: int) -> None:
        """Count events that are acknowledged, and how long that took."""
        ...


class Following(ABC, Generic[RowT, FleetT]):
    """Takes batches of forecasts in, ends the steps that are over, and carries out what comes of it.

    A service says what it keeps of a forecast (`_row`), what it makes of a step (`_end_step`), and what it shows.
    ``service``: its name in dead letters. ``topic``: where its events go.
    """

    service: ClassVar[str]
    topic: ClassVar[Topic]

    def __init__(self, fleets: Makes[FleetT], outside: Outside, metrics: FollowingMetrics, guard: FloodGuard) -> None:
        self._fleets, self._outside, self._guard, self._counts = fleets, outside, guard, metrics
        self.owned: dict[int, Owned[FleetT]] = {}

    @abstractmethod
    def _row(self, forecast: Forecast) -> RowT:
        """What is kept of a forecast until its step is over."""

    @abstractmethod
    def _end_step(self, key: FleetKey, fleet: FleetT, over: Gathered[RowT]) -> Sequence[Event] | None:
        """Take a step in that is over; the events that follow, None = there is nothing to remember or to tell yet."""

    @abstractmethod
    def _show(self) -> None:
        """Show the fleets that are ours: they, or what is known of them, have changed."""

    @abstractmethod
    def _notify(self) -> None:
        """Events were acknowledged, or taken over."""

    async def acquire(self, partitions: Iterable[int]) -> dict[int, int | None]:
        """Take partitions over where their last holders left them; partition → offset to read on from, None = where the
        group has committed. Events that their holders may not have sent are sent first.
        """
        store, begin = self._outside.store, dict[int, int | None]()
        effects = Effects()
        for partition in partitions:
            kept = await self._outside.insist("redis", "take over a partition", partial(store.take_over, partition))
            self.owned[partition] = owned = self._restored(kept)
            begin[partition] = owned.read
            effects.ticked |= {(partition, key): 0 for key, fleet in owned.fleets.items() if fleet.unsent}
        await self._publish(effects)
        self._show()
        self._notify()
        return begin

    def release(self, partitions: Iterable[int]) -> None:
        """Forget partitions: they are another replica's."""
        gone = [partition for partition in partitions if self.owned.pop(partition, None) is not None]
        if gone:
            self._show()

    def take(self, partition: int, records: Sequence[EventRecord], effects: Effects) -> None:
        """Take a batch of an acquired partition in; steps that it shows to be over are ticked."""
        owned, clock = self.owned[partition], self._outside.clock
        decoded = decode_forecasts(records, clock.now_ms())
        effects.read, effects.unreadable = effects.read + len(decoded.good), effects.unreadable + len(decoded.bad)
        effects.letters += [self._letter(record, error) for record, error in decoded.bad]
        now = clock.monotonic()
        for record, forecast in decoded.good:
            key = forecast.fleet, forecast.step_seconds
            fleet = owned.fleets.get(key)
            if fleet is None:
                fleet = owned.fleets[key] = self._fleets.new()
            row = self._row(forecast)
            taken, over = fleet.collector.take(
                forecast.server, forecast.origin, row, record.offset, record.timestamp, now
            )
            self._counts.taken[taken].inc()
            if over is not None:
                self._tick(partition, key, fleet, over, effects)
        owned.read = records[-1].offset + 1

    def tick_due(self, at_end: Collection[int], effects: Effects) -> None:
        """Tick the steps for which nothing more is waited for; ``at_end``: partitions that are read to their end."""
        now = self._outside.clock.monotonic()
        for partition, owned in self.owned.items():
            for key, fleet in owned.fleets.items():
                over = fleet.collector.due(now, at_end=partition in at_end)
                if over is not None:
                    self._tick(partition, key, fleet, over, effects)

    def may_settle(self) -> bool:
        """Whether a step may be over by the clock, if nothing more waits on the topic."""
        now = self._outside.clock.monotonic()
        return any(fleet.collector.may_settle(now) for owned in self.owned.values() for fleet in owned.fleets.values())

    async def carry_out(self, effects: Effects) -> None:
        """Do what a round has brought; returns when all is acknowledged.

        Raises:
            TakenOverError: a partition is another replica's.
            TransientError: the outside stayed unwell for longer than the retries last.
            DeadLetterFloodError: too many recent forecasts were unreadable.
        """
        if effects.letters:
            await self._outside.insist(
                "kafka", "publish dead letters", lambda: self._outside.publisher.bury(effects.letters)
            )
        self._guard.record(read=effects.read, unreadable=effects.unreadable)
        if not effects.ticked:
            return
        for partition in sorted({partition for partition, _ in effects.ticked}):
            await self._save(partition, [key for where, key in effects.ticked if where == partition])
        await self._publish(effects)
        self._show()

    def committable(self) -> dict[int, int]:
        """Partition → offset before which everything is in a tick whose events are acknowledged."""
        found = {partition: owned.needed() for partition, owned in self.owned.items()}
        return {partition: offset for partition, offset in found.items() if offset is not None}

    def _letter(self, record: EventRecord, error: MalformedEventError) -> DeadLetter:
        self._counts.dead_letters.labels(error.reason).inc()
        return dead_letter(record, self.service, error.reason, str(error))

    def _tick(self, partition: int, key: FleetKey, fleet: FleetT, over: Gathered[RowT], effects: Effects) -> None:
        events = self._end_step(key, fleet, over)
        if events is None:
            return
        fleet.unsent += [encode(event, f"/argus/{self.service}") for event in events]
        effects.events += events
        effects.ticked[partition, key] = over.published_ms

    async def _save(self, partition: int, keys: Sequence[FleetKey]) -> None:
        changed = self._kept(partition, keys)
        if changed is None:
            return
        save = partial(self._outside.store.save, partition, changed, whole=False)
        if not await self._outside.insist("redis", "save the state", save):
            _log.warning("Redis was emptied: writing all that is known again", extra={"partition": partition})
            all_of_it = self._kept(partition, list(self.owned[partition].fleets))
            if all_of_it is not None:
                save = partial(self._outside.store.save, partition, all_of_it, whole=True)
                await self._outside.insist("redis", "save the state", save)

    def _kept(self, partition: int, keys: Sequence[FleetKey]) -> Kept | None:
        owned = self.owned.get(partition)
        if owned is None or (position := owned.needed()) is None:
            return None
        fleets = {key: owned.fleets[key] for key in keys}
        return Kept(
            position,
            {key: fleet.pack() for key, fleet in fleets.items()},
            {key: list(fleet.unsent) for key, fleet in fleets.items()},
        )

    async def _publish(self, effects: Effects) -> None:
        """Send what is unsent of these fleets, then forget it."""
        telling: dict[int, list[tuple[FleetKey, FleetT]]] = {}
        for partition, key in effects.ticked:
            fleet = self.owned[partition].fleets[key]
            if fleet.unsent:
                telling.setdefault(partition, []).append((key, fleet))
        for partition, fleets in telling.items():
            records = [record for _, fleet in fleets for record in fleet.unsent]
            await self._outside.insist(
                "kafka", "publish events", partial(self._outside.publisher.send, self.topic.name, records)
            )
            keys = [key for key, _ in fleets]
            told = partial(self._outside.store.told, partition, keys)
            await self._outside.insist("redis", "forget what was told", told)
            for _, fleet in fleets:
                fleet.unsent = []
        self._counts.told(effects.events, [ms for ms in effects.ticked.values() if ms], self._outside.clock.now_ms())
        if telling:
            self._notify()

    def _restored(self, kept: Kept | None) -> Owned[FleetT]:
        if kept is None:
            return Owned(None)
        fleets = {key: self._fleets.restored(key, raw, kept.unsent.get(key, ())) for key, raw in kept.fleets.items()}
        return Owned(kept.position, fleets)
