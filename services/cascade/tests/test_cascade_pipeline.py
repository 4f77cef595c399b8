"""The order of effects, and what a crash between any two of them leaves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from cascade_fake import FakeDetectors
from cascade_site import STEP, event_id, forecast, step_of
from prometheus_client import CollectorRegistry

from argus_cascade.domain.columns import Columns
from argus_cascade.fleets import Fleets
from argus_cascade.metrics import CascadeMetrics
from argus_cascade.pipeline import Pipeline
from argus_common.clock import ManualClock
from argus_common.errors import DeadLetterFloodError, TakenOverError, TransientError
from argus_common.events import ForecastIssued, Record, encode
from argus_common.forecasts.pipeline import Effects, Outside
from argus_common.forecasts.ports import FleetKey, Kept
from argus_common.kafka.dead_letters import DeadLetter, FloodGuard
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.ops import Health
from argus_common.retry import Backoff

SERVERS = ["web0", "web1", "web2"]
KEY: FleetKey = ("default", 300)


@dataclass
class Received:
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    offset: int
    topic: str = "argus.predictions.v1"
    partition: int = 0
    timestamp: int = 1_735_689_600_000
    key: bytes | None = b"default"


@dataclass
class World:
    """The outside: it remembers what was done in which order, and fails at will."""

    done: list[str] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    position: int | None = None
    fleets: dict[FleetKey, bytes] = field(default_factory=dict)
    unsent: dict[FleetKey, Sequence[Record]] = field(default_factory=dict)
    topic: list[Record] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    emptied: bool = False

    def _do(self, what: str) -> None:
        if what in self.fails:
            raise self.fails[what]
        self.done.append(what)

    async def take_over(self, partition: int) -> Kept | None:
        assert partition == 0
        self._do("take over")
        return None if self.position is None else Kept(self.position, dict(self.fleets), dict(self.unsent))

    async def save(self, partition: int, changed: Kept, *, whole: bool) -> bool:
        assert partition == 0
        self._do("save whole" if whole else "save")
        if self.emptied and not whole:
            return False
        self.position, self.emptied = changed.position, False
        self.fleets |= changed.fleets
        self.unsent |= {key: records for key, records in changed.unsent.items() if records}
        return True

    async def told(self, partition: int, fleets: Iterable[FleetKey]) -> None:
        assert partition == 0
        self._do("told")
        for key in fleets:
            self.unsent.pop(key, None)

    async def send(self, topic: str, records: Iterable[Record]) -> None:
        assert topic == "argus.cascades.v1"
        self._do("send")
        self.topic += records

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        self._do("bury")
        self.letters += letters

    def ids(self) -> list[str]:
        return [dict(record.headers)["ce_id"].decode() for record in self.topic]


class Replica:
    """A process on this world."""

    def __init__(self, world: World, detectors: FakeDetectors | None = None) -> None:
        self.world, self.clock, self.offset = world, ManualClock(), 0
        backoff = Backoff(first=0.001, longest=0.001, give_up_after=0.002)
        outside = Outside(world, world, self.clock, Health(), backoff)
        self.metrics = CascadeMetrics(CollectorRegistry())
        fleets = Fleets(detectors or FakeDetectors(), 1.0)
        guard = FloodGuard(max_share=0.5, recent=10, at_least=5)
        self.pipeline = Pipeline(Columns.of(DEFAULT_CATALOGUE), fleets, lambda *_: False, outside, self.metrics, guard)

    async def feed(self, *steps: Sequence[ForecastIssued | bytes], settle: bool = False) -> None:
        for step in steps:
            effects, records = Effects(), []
            for one in step:
                record = Record(b"", one, []) if isinstance(one, bytes) else encode(one, "/argus/test")
                records.append(Received(record.value, record.headers, self.offset))
                self.offset += 1
            self.pipeline.take(0, records, effects)
            if settle:
                self.clock.advance(2.0)
            self.pipeline.tick_due([0], effects)
            await self.pipeline.carry_out(effects)


async def begun(world: World) -> Replica:
    """A replica that knows its fleet."""
    replica = Replica(world)
    assert await replica.pipeline.acquire([0]) == {0: None}
    await replica.feed(step_of(SERVERS, 0), settle=True)
    world.done.clear()
    return replica


async def test_state_with_its_events_comes_before_the_events_and_offsets_after_both() -> None:
    world = World()
    replica = await begun(world)
    await replica.feed(step_of(SERVERS, 1, ["web0", "web1"]))
    assert world.done == ["save", "send", "told"]
    assert world.ids() == [event_id(1, 0)]
    assert (world.unsent, world.position) == ({}, 6)
    assert replica.pipeline.committable() == {0: 6}


async def test_a_step_without_events_is_remembered_and_nothing_is_sent() -> None:
    world = World()
    replica = await begun(world)
    await replica.feed(step_of(SERVERS, 1))
    assert world.done == ["save"]


async def test_what_is_gathered_and_not_ticked_is_not_committed() -> None:
    world = World()
    replica = await begun(world)
    await replica.feed(step_of(SERVERS[:2], 1))
    assert world.done == []
    assert replica.pipeline.committable() == {0: 3}
    await replica.feed(step_of(SERVERS[2:], 1))
    assert replica.pipeline.committable() == {0: 6}


@pytest.mark.parametrize("crash", ["save", "send", "told"])
async def test_a_crash_between_any_two_effects_neither_loses_nor_doubles_an_event(crash: str) -> None:
    calm, world = World(), World()
    untouched = await begun(calm)
    course = [step_of(SERVERS, 1, ["web0", "web1"]), step_of(SERVERS, 2, SERVERS), step_of(SERVERS, 3)]
    await untouched.feed(*course)
    killed = await begun(world)
    await killed.feed(course[0])
    world.fails = {crash: TransientError("away")}
    with pytest.raises(TransientError):
        await killed.feed(course[1])
    world.fails = {}
    after = Replica(world)
    (begin,) = (await after.pipeline.acquire([0])).values()
    assert begin == {"save": 6, "send": 9, "told": 9}[crash]
    after.offset = begin
    await after.feed(*course[(begin - 3) // 3 :])
    assert list(dict.fromkeys(world.ids())) == calm.ids()
    assert {dict(r.headers)["ce_id"]: r.value for r in world.topic} == {
        dict(r.headers)["ce_id"]: r.value for r in calm.topic
    }
    assert len({(dict(r.headers)["ce_id"], r.value) for r in world.topic}) == len(calm.topic)


async def test_what_was_taken_over_is_sent_before_anything_new_is_read() -> None:
    world = World()
    first = await begun(world)
    world.fails = {"send": TransientError("away")}
    with pytest.raises(TransientError):
        await first.feed(step_of(SERVERS, 1, SERVERS))
    world.fails, world.done = {}, []
    await Replica(world).pipeline.acquire([0])
    assert world.done == ["take over", "send", "told"]
    assert world.ids() == [event_id(1, 0)]


async def test_a_replica_that_lost_its_partition_sends_nothing() -> None:
    world = World()
    replica = await begun(world)
    world.fails = {"save": TakenOverError("another one")}
    with pytest.raises(TakenOverError):
        await replica.feed(step_of(SERVERS, 1, SERVERS))
    assert world.topic == []


async def test_an_emptied_store_is_given_everything_again() -> None:
    world = World()
    replica = await begun(world)
    await replica.feed([forecast(server, STEP, fleet="other") for server in SERVERS], settle=True)
    world.fleets, world.emptied, world.done = {}, True, []
    await replica.feed(step_of(SERVERS, 1, SERVERS))
    assert world.done == ["save", "save whole", "send", "told"]
    assert set(world.fleets) == {KEY, ("other", 300)}


async def test_a_detector_of_another_version_is_learned_anew_and_what_was_unsent_is_sent() -> None:
    class Newer(FakeDetectors):
        def restore(self, snapshot: bytes) -> object:  # type: ignore[override]
            del snapshot
            raise ValueError("of another version")

    world = World()
    first = await begun(world)
    world.fails = {"send": TransientError("away")}
    with pytest.raises(TransientError):
        await first.feed(step_of(SERVERS, 1, SERVERS))
    world.fails = {}
    replica = Replica(world, Newer())
    await replica.pipeline.acquire([0])
    assert world.ids() == [event_id(1, 0)]
    assert replica.pipeline.standing() == []


async def test_dead_letters_come_first_and_a_flood_of_them_stops_everything() -> None:
    world = World()
    replica = await begun(world)
    await replica.feed([b"{", *step_of(SERVERS, 1, SERVERS)])
    assert world.done == ["bury", "save", "send", "told"]
    with pytest.raises(DeadLetterFloodError):
        await replica.feed([b"{"] * 9)
    assert len(world.letters) == 10


async def test_a_fleet_that_went_to_another_replica_is_not_shown_any_more() -> None:
    world, told = World(), list[bool]()
    replica = await begun(world)
    replica.pipeline.on_change(lambda: told.append(True))
    await replica.feed(step_of(SERVERS, 1, SERVERS))
    assert told == [True]
    assert len(replica.pipeline.standing()) == 1
    replica.pipeline.release([0])
    assert replica.pipeline.standing() == []
    assert replica.pipeline.committable() == {}
