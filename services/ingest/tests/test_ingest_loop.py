"""The main loop: what is read is carried out, what was fetched before a rebalance is not, idle steps close only when
the broker says that nothing is left to read.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from ingest_domain import START_MS, record
from ingest_outside import Received, World

from argus_common.errors import DeadLetterFloodError, TransientError
from argus_common.kafka.source import Batch, KafkaSource
from argus_ingest.loop import Loop

IDLE_SECONDS = 120.0


def at(seconds: float, server: str = "web1") -> bytes:
    return record(server, START_MS + round(seconds * 1000), cpu_idle_pct=50)


@dataclass
class Round:
    """What happens at one poll."""

    records: dict[int, list[Received]] = field(default_factory=dict)
    ready: list[dict[int, list[Received]]] = field(default_factory=list)
    """Batches that can be had after it without waiting."""
    revoked: set[int] = field(default_factory=set)
    rebalanced: bool = False
    """The group was rebalanced after the poll, while partitions were being loaded."""
    at_end: list[int] | None = field(default_factory=list)
    passes: float = 1.0
    """Seconds on the clock."""


class ScriptedSource(KafkaSource):
    """Plays rounds, then stops the loop."""

    def __init__(self, world: World, stop: asyncio.Event, rounds: list[Round]) -> None:
        self.world, self.stop_event, self.rounds = world, stop, rounds
        self.now = Round()
        self.commits: list[dict[int, int]] = []
        self.lags: dict[int, int] = {}
        self.rewound = 0
        self._seen_generations = 0

    @property
    def generation(self) -> int:
        """Another one at the second look of a round that is disturbed."""
        self._seen_generations += 1 if self.now.rebalanced else 0
        return self._seen_generations

    def take_revoked(self) -> set[int]:
        revoked, self.now.revoked = self.now.revoked, set()
        return revoked

    def assigned(self) -> list[int]:
        return [0, 1]

    async def poll(self, wait_ms: int) -> dict[int, Batch]:
        if wait_ms == 0:
            return dict(self.now.ready.pop(0)) if self.now.ready else {}
        if self.rounds:
            self.now = self.rounds.pop(0)
            self.world.clock.advance(self.now.passes)
        else:
            self.now = Round()
            self.stop_event.set()
        return dict(self.now.records)

    async def commit(self, offsets: Mapping[int, int]) -> None:
        self.commits.append(dict(offsets))

    async def rewind(self) -> None:
        self.rewound += 1

    def lag(self) -> dict[int, int]:
        return self.lags

    async def read_to_end(self) -> list[int] | None:
        return self.now.at_end


@dataclass
class Played:
    world: World
    loop: Loop
    source: ScriptedSource

    def windows(self) -> int:
        return len(self.world.publisher.published)


def prepared(*rounds: Round, at_least: int = 500) -> tuple[Played, asyncio.Event]:
    world, stop = World(), asyncio.Event()
    source = ScriptedSource(world, stop, list(rounds))
    pipeline = world.pipeline(at_least=at_least)
    loop = Loop(source, pipeline, world.clock, world.health, world.metrics, IDLE_SECONDS)
    return Played(world, loop, source), stop


async def play(*rounds: Round) -> Played:
    played, stop = prepared(*rounds)
    await played.loop.run(stop)
    return played


def reads(*values: bytes, first: int = 0, **more: object) -> Round:
    return Round({0: [Received(first + i, value) for i, value in enumerate(values)]}, **more)  # type: ignore[arg-type]


async def test_what_is_polled_becomes_windows_and_its_offset_is_committed_at_the_end() -> None:
    played = await play(reads(at(0), at(360)), reads(at(400), first=2))
    assert played.windows() == 1
    assert played.source.commits[-1] == {0: 1}


async def test_the_windows_of_batches_that_lie_ready_are_published_together() -> None:
    ready: list[dict[int, list[Received]]] = [
        {0: [Received(1, at(360))]},
        {1: [Received(0, at(0)), Received(1, at(400))]},
    ]
    played = await play(reads(at(0), ready=ready))
    assert played.windows() == 2
    assert played.world.journal.done.count("windows") == 1


async def test_windows_of_a_partition_that_is_taken_away_before_they_are_out_are_left_to_its_next_holder() -> None:
    played, stop = prepared(reads(at(0), at(360), ready=[{1: [Received(0, at(0)), Received(1, at(400))]}]))
    poll = played.source.poll

    async def poll_and_revoke(wait_ms: int) -> dict[int, Batch]:
        found = await poll(wait_ms)
        if wait_ms == 0 and found:
            played.source.now.revoked = {0}
        return found

    played.source.poll = poll_and_revoke  # type: ignore[method-assign]
    await played.loop.run(stop)
    assert [json.loads(record.value)["samples"] for record in played.world.publisher.published] == [1]
    assert set(played.world.store.snapshots) == {0, 1}
    assert played.world.store.snapshots[0].position == 0


async def test_a_replica_whose_partition_was_taken_over_begins_anew_from_the_committed_offsets() -> None:
    played, stop = prepared(reads(at(0)), reads(at(360), first=1), reads(at(0), at(360)))
    poll = played.source.poll

    async def poll_late(wait_ms: int) -> dict[int, Batch]:
        if wait_ms and len(played.source.rounds) == 2:
            played.world.store.taken_over = {0}
        return await poll(wait_ms)

    played.source.poll = poll_late  # type: ignore[method-assign]
    await played.loop.run(stop)
    assert played.source.rewound == 1
    assert played.world.journal.done.count("load") == 4
    assert len({record.value for record in played.world.publisher.published}) == 1
    assert played.world.store.snapshots[0].position == 2


async def test_a_partition_that_was_assigned_but_not_read_is_never_committed() -> None:
    played = await play(reads(at(0), passes=10))
    assert all(1 not in commit for commit in played.source.commits)


async def test_what_was_fetched_before_a_rebalance_is_dropped_for_it_is_read_again() -> None:
    played = await play(reads(at(0), at(360), rebalanced=True))
    assert played.windows() == 0
    assert played.world.metric("argus_ingest_records_total") == 0


async def test_a_partition_that_was_taken_away_is_loaded_anew_when_it_comes_back() -> None:
    played = await play(reads(at(0)), Round(revoked={0, 1}), reads(at(0), at(360)))
    assert played.windows() == 1
    assert played.world.journal.done.count("load") == 4


async def test_an_idle_step_closes_once_the_broker_says_that_all_is_read() -> None:
    quiet = [Round(at_end=[0], passes=60), Round(at_end=[0], passes=60)]
    assert (await play(reads(at(0)), *quiet[:1])).windows() == 0
    assert (await play(reads(at(0)), *quiet)).windows() == 1


async def test_an_idle_step_stays_open_while_records_wait_in_the_partition() -> None:
    assert (await play(reads(at(0)), *[Round(at_end=[], passes=60)] * 5)).windows() == 0


async def test_an_outage_of_the_broker_is_no_idleness() -> None:
    away = [Round(at_end=None, passes=60)] * 5
    played = await play(reads(at(0)), *away, Round(at_end=[0], passes=1), Round(at_end=[0], passes=100))
    assert played.windows() == 0
    played = await play(reads(at(0)), *away, Round(at_end=[0], passes=1), Round(at_end=[0], passes=120))
    assert played.windows() == 1


async def test_idleness_is_not_asked_more_than_once_a_second() -> None:
    played = await play(reads(at(0)), *[Round(at_end=None, passes=0.2)] * 3)
    assert played.world.health.ready() == []
    played = await play(reads(at(0)), *[Round(at_end=None, passes=0.5)] * 3)
    assert played.world.health.ready() == ["kafka: not ready"]


async def test_a_store_that_was_emptied_is_noticed_though_nothing_is_read() -> None:
    played, stop = prepared(reads(at(0)), Round(passes=5))
    poll = played.source.poll

    async def poll_and_empty(wait_ms: int) -> dict[int, Batch]:
        if wait_ms and len(played.source.rounds) == 1:
            played.world.store.clear()
        return await poll(wait_ms)

    played.source.poll = poll_and_empty  # type: ignore[method-assign]
    await played.loop.run(stop)
    assert played.world.store.marks == {0, 1}
    assert played.world.journal.done.count("rebuild") == 2


async def test_a_store_that_is_away_is_noticed_though_no_partition_is_held() -> None:
    played, stop = prepared(Round(passes=5))
    played.world.journal.failing = {"lost"}
    with pytest.raises(TransientError):
        await played.loop.run(stop)


async def test_the_lag_of_a_partition_that_went_to_another_replica_is_no_longer_told() -> None:
    played, stop = prepared(reads(at(0)), Round(passes=5))
    played.source.lags = {0: 5, 1: 7}
    poll = played.source.poll

    async def poll_and_lose(wait_ms: int) -> dict[int, Batch]:
        if wait_ms and len(played.source.rounds) == 1:
            assert played.world.metric("argus_ingest_lag_records", partition="1") == 7
            played.source.lags = {0: 2}
        return await poll(wait_ms)

    played.source.poll = poll_and_lose  # type: ignore[method-assign]
    await played.loop.run(stop)
    assert played.world.metric("argus_ingest_lag_records", partition="0") == 2
    assert played.world.metric("argus_ingest_lag_records", partition="1") is None
    assert played.world.metric("argus_ingest_open_rows") == 1


async def test_a_flood_ends_the_loop_without_a_commit_past_it() -> None:
    played, stop = prepared(reads(at(0), at(1)), reads(*[b"garbage"] * 20, first=2), at_least=10)
    with pytest.raises(DeadLetterFloodError):
        await played.loop.run(stop)
    assert len(played.world.publisher.letters) == 20
    assert {offset for commit in played.source.commits for offset in commit.values()} == {0}
