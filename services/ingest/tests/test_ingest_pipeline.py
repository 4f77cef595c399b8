"""The order of effects, and what a failure at each of them costs: nothing but a repetition."""

import json
from collections.abc import Sequence

import pytest
from ingest_domain import START_MS, record
from ingest_outside import Received, World

from argus_common.errors import DeadLetterFloodError, TransientError
from argus_common.retry import Backoff
from argus_ingest.domain.partition import SILENCE_CHECK_OFFSETS
from argus_ingest.domain.snapshot import Snapshot
from argus_ingest.pipeline import Effects, Pipeline

EFFECTS = ["letters", "rings", "windows", "save"]


def at(seconds: float, server: str = "web1", **metrics: float) -> bytes:
    return record(server, START_MS + round(seconds * 1000), **(metrics or {"cpu_idle_pct": 50.0}))


STREAM = [at(0), b"garbage", at(10, cpu_idle_pct=40.0), at(360)]
"""Closes a step and holds a record that can't be read."""


async def run(pipeline: Pipeline, values: Sequence[bytes | None], first: int = 0) -> None:
    """One round: take a batch in and carry out what it brings about."""
    effects = Effects()
    pipeline.take(0, [Received(first + i, value) for i, value in enumerate(values)], effects)
    await pipeline.carry_out(effects)


async def started(world: World, **options: object) -> Pipeline:
    pipeline = world.pipeline(**options)  # type: ignore[arg-type]
    await pipeline.acquire([0])
    world.journal.done.clear()
    return pipeline


async def test_effects_come_in_their_order_and_then_the_offset_may_be_committed() -> None:
    world = World()
    pipeline = await started(world)
    await run(pipeline, STREAM)
    assert world.journal.done == EFFECTS
    assert pipeline.committable() == {0: 3}
    assert world.store.snapshots[0].position == 4


@pytest.mark.parametrize("rebuilt", [False, True])
async def test_a_profile_that_only_some_records_name_is_that_of_all_windows_after_a_restart_too(
    *, rebuilt: bool
) -> None:
    def named(seconds: float) -> bytes:
        return at(seconds)[:-1] + b', "profile": "database"}'

    world = World()
    await run(await started(world), [at(0), named(10), at(360)])
    if rebuilt:
        world.rebuilder.snapshots = {0: world.store.snapshots[0]}
        world.store.clear()
    await run(await started(world), [at(360), at(700)], first=2)
    assert [json.loads(record.value)["profile"] for record in world.publisher.published] == ["database"] * 2


async def test_a_dead_letter_tells_its_reason_and_where_it_came_from() -> None:
    world = World()
    await run(await started(world), STREAM, first=70)
    (letter,) = world.publisher.letters
    headers = dict(letter.headers)
    assert letter.value == b"garbage"
    assert headers["argus_reason"] == b"not_json"
    assert (headers["argus_topic"], headers["argus_partition"], headers["argus_offset"]) == (
        b"argus.metrics.v1",
        b"0",
        b"71",
    )


@pytest.mark.parametrize("failing", EFFECTS)
async def test_a_failure_repeats_the_later_effects_with_the_same_bytes_and_loses_nothing(failing: str) -> None:
    calm = World()
    await run(await started(calm), STREAM)
    world = World()
    pipeline = await started(world)
    world.journal.failing = {failing}
    with pytest.raises(TransientError, match=f"{failing} failed"):
        await run(pipeline, STREAM)
    assert world.journal.done == EFFECTS[: EFFECTS.index(failing)]
    world.journal.failing.clear()
    await run(await started(world), STREAM)  # the next process reads from the committed offset
    assert set(map(repr, world.publisher.published)) == set(map(repr, calm.publisher.published))
    assert set(map(repr, world.publisher.letters)) == set(map(repr, calm.publisher.letters))
    assert world.rings.rows == calm.rings.rows
    assert repr(world.store.snapshots) == repr(calm.store.snapshots)


SOON = Backoff(first=0.001, longest=0.001, give_up_after=0.1)


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        ("letters", "kafka: waiting for {} s to send dead letters"),
        ("lost", "redis: waiting for {} s to look for marks"),
        ("rings", "redis: waiting for {} s to write rings"),
        ("windows", "kafka: waiting for {} s to publish windows"),
        ("save", "redis: waiting for {} s to save partitions"),
    ],
)
async def test_an_effect_that_is_retried_makes_ingest_unready_but_not_dead_until_it_succeeds(
    failing: str, told: str
) -> None:
    world = World()
    pipeline = await started(world, backoff=SOON)
    world.health.set("kafka", holds=True)
    seen: list[list[str]] = []

    def twenty_seconds_later() -> None:
        seen.append(world.health.ready())
        world.clock.advance(20)
        if len(seen) == 5:
            world.journal.failing.clear()

    world.journal.failing, world.journal.on_failure = {failing}, twenty_seconds_later
    await run(pipeline, STREAM)
    assert seen == [[], *[[told.format(seconds)] for seconds in (20, 40, 60, 80)]]
    assert world.health.ready() == []
    assert world.journal.done == EFFECTS


@pytest.mark.parametrize(
    ("failing", "told"), [("load", "redis: waiting for 20 s to load a partition"),
                          ("rebuild", "kafka, redis: waiting for 20 s to rebuild rings"),
                          ("save", "redis: waiting for 20 s to save a partition"),
                          ("mark", "redis: waiting for 20 s to mark a partition")],
)  # fmt: skip
async def test_a_partition_that_cannot_be_taken_over_makes_ingest_unready(failing: str, told: str) -> None:
    world, seen = World(), list[str]()

    def later() -> None:
        world.clock.advance(20)
        seen.extend(world.health.ready())

    world.health.set("kafka", holds=True)
    world.journal.failing, world.journal.on_failure = {failing}, later
    with pytest.raises(TransientError):
        await world.pipeline().acquire([0])
    assert seen == [told]


async def test_a_restart_counts_what_it_reads_again_and_tells_no_letter_twice() -> None:
    world = World()
    first = await started(world)
    await run(first, [*STREAM, at(1)])
    assert len(world.publisher.letters) == 2  # the garbage and the late sample
    second = await started(world)
    await run(second, [*STREAM[2:], at(1), at(400)], first=2)
    assert len(world.publisher.letters) == 2
    assert world.metric("argus_ingest_replayed_rows_total") == 2
    assert len(world.publisher.published) == 1


async def test_a_late_sample_is_counted_and_dead_lettered_with_its_moment() -> None:
    world = World()
    await run(await started(world), [at(360), at(7)])
    headers = dict(world.publisher.letters[0].headers)
    assert headers["argus_reason"] == b"late"
    assert headers["argus_detail"] == b"late: default/web1 at 2025-01-01T00:00:07.000Z: its step was closed already"
    assert world.metric("argus_ingest_rejected_samples_total", reason="late") == 1


async def test_what_is_read_accepted_and_refused_is_counted() -> None:
    world = World()
    await run(await started(world), [*STREAM, at(361, cpu_idle_pct=101.0, mem_used_pct=5.0)])
    assert world.metric("argus_ingest_records_total") == 5
    assert world.metric("argus_ingest_samples_total") == 4
    assert world.metric("argus_ingest_servers") == 1
    assert world.metric("argus_ingest_windows_total") == 1
    assert world.metric("argus_ingest_rejected_samples_total", reason="out_of_range") == 1
    assert world.metric("argus_ingest_dead_letters_total", reason="not_json") == 1
    assert world.metric("argus_ingest_dead_letters_total", reason="too_large") == 0


async def test_a_metric_that_nobody_knows_is_told_once_in_ten_minutes_and_counted_always() -> None:
    world = World()
    pipeline = await started(world)
    await run(pipeline, [at(0, cpu_idle_pct=1.0, gpu=5.0), at(1, cpu_idle_pct=1.0, gpu=5.0)])
    assert len(world.publisher.letters) == 1
    assert world.metric("argus_ingest_rejected_samples_total", reason="unknown_metric") == 2
    world.clock.advance(600)
    await run(pipeline, [at(2, cpu_idle_pct=1.0, gpu=5.0)], first=2)
    assert len(world.publisher.letters) == 2


async def test_a_sample_that_is_refused_beside_an_unknown_metric_is_told_every_time() -> None:
    world = World()
    await run(await started(world), [at(i, cpu_idle_pct=101.0, gpu=5.0) for i in range(3)])
    assert len(world.publisher.letters) == 3


async def test_a_flood_of_garbage_stops_consumption_after_its_reasons_are_told() -> None:
    world = World()
    pipeline = await started(world, max_share=0.5, at_least=10)
    with pytest.raises(DeadLetterFloodError, match="10 of the last 14 records could not be read"):
        await run(pipeline, [*STREAM[::2], *STREAM[::2], *[b"garbage"] * 10])
    assert len(world.publisher.letters) == 10
    assert world.publisher.published == []
    assert world.store.snapshots[0].position == 0


async def test_as_much_garbage_as_is_allowed_goes_on() -> None:
    world = World()
    pipeline = await started(world, max_share=0.5, at_least=2)
    await run(pipeline, [at(0), at(1), b"x", b"y"])
    assert len(world.publisher.letters) == 2


async def test_records_of_which_some_samples_were_kept_are_no_flood() -> None:
    world = World()
    pipeline = await started(world, max_share=0.1, at_least=2)
    await run(pipeline, [at(i, cpu_idle_pct=101.0, mem_used_pct=1.0) for i in range(20)])
    assert len(world.publisher.letters) == 20


async def test_a_new_installation_is_rebuilt_from_an_empty_topic_and_marked() -> None:
    world = World()
    await world.pipeline().acquire([0, 1])
    assert world.journal.done == ["load", "load", "rebuild", "save", "mark", "save", "mark"]
    assert world.store.marks == {0, 1}


async def test_what_the_topic_tells_of_a_lost_partition_is_where_it_goes_on() -> None:
    world = World()
    first_step = START_MS // 300_000
    world.rebuilder.snapshots[0] = Snapshot(position=2, heads={"default/web1": first_step})
    pipeline = await started(world)
    await run(pipeline, [at(0), at(1), at(2), at(301)])
    assert world.metric("argus_ingest_replayed_rows_total") == 2
    assert dict(world.publisher.letters[0].headers)["argus_offset"] == b"2"


async def test_a_store_that_was_emptied_is_noticed_before_anything_is_written_and_told_all_again() -> None:
    world = World()
    pipeline = await started(world)
    await run(pipeline, STREAM)
    world.store.clear()
    world.journal.done.clear()
    await run(pipeline, [at(660)], first=4)
    assert world.journal.done == ["rebuild", "save", "mark", "rings", "windows", "save"]
    assert world.store.snapshots[0].heads == {"default/web1": START_MS // 300_000 + 1}
    assert world.store.snapshots[0].position == 5
    assert len(world.store.snapshots[0].sums) == 2


async def test_a_store_that_is_emptied_while_old_records_are_read_again_keeps_the_newest_position() -> None:
    world = World()
    first = await started(world)
    await run(first, [*STREAM, at(1)])
    second = await started(world)
    await run(second, STREAM[:2])
    world.store.clear()
    await second.restore_lost([0])
    assert world.store.snapshots[0].position == 5
    assert world.store.snapshots[0].heads == {"default/web1": START_MS // 300_000}


async def test_partitions_that_were_not_read_yet_commit_nothing() -> None:
    world = World()
    first = await started(world)
    await run(first, STREAM)
    second = await started(world)
    assert second.committable() == {}
    await run(second, STREAM[3:], first=3)
    assert second.committable() == {0: 3}


async def test_an_idle_partition_is_closed_and_the_wake_after_an_outage_spares_it() -> None:
    world = World()
    pipeline = await started(world)
    await run(pipeline, [at(0)])
    world.clock.advance(3600)
    pipeline.wake()
    effects = Effects()
    pipeline.close_idle(0, 120.0, effects)
    assert effects.windows == {}
    world.clock.advance(120)
    pipeline.close_idle(0, 120.0, effects)
    await pipeline.carry_out(effects)
    assert len(world.publisher.published) == 1


async def test_a_released_partition_is_forgotten() -> None:
    world = World()
    pipeline = await started(world)
    await run(pipeline, [at(0)])
    pipeline.release([0, 7])
    assert pipeline.owned == {}
    assert pipeline.committable() == {}


def goes_on(first: int, last: int) -> list[bytes]:
    """Two servers through so many steps, many records apart as far as offsets tell."""
    return [at(step * 300.0, server) for step in range(first, last) for server in ("web1", "web2")]


async def run_apart(pipeline: Pipeline, values: Sequence[bytes], first: int = 0) -> None:
    """Each record where silence is judged."""
    effects = Effects()
    for number, value in enumerate(values, start=first):
        pipeline.take(0, [Received(number * SILENCE_CHECK_OFFSETS, value)], effects)
        await pipeline.carry_out(effects)
        effects = Effects()


async def test_a_server_that_is_long_gone_leaves_nothing_behind() -> None:
    world = World()
    pipeline = await started(world, forget_steps=10)
    gone = record("gone", START_MS, cpu_idle_pct=1.0).replace(b'"gone"', b'"gone", "fleet": "east"')
    later = gone.replace(str(START_MS).encode(), str(START_MS + 360_000).encode())
    await run_apart(pipeline, [gone, later, *goes_on(0, 8)])
    pipeline.tidy()
    assert world.store.snapshots[0].heads["east/gone"] == START_MS // 300_000
    assert len(pipeline._servers) == 3
    world.clock.advance(1e6)
    pipeline.close_idle(0, 1.0, effects := Effects())
    await pipeline.carry_out(effects)
    await run_apart(pipeline, goes_on(8, 40), first=18)
    pipeline.tidy()
    assert pipeline._servers.names == ["default/web1", "default/web2"]
    snapshot = world.store.snapshots[0]
    assert (set(snapshot.heads), snapshot.floor) == ({"default/web1", "default/web2"}, START_MS // 300_000 + 1)
    assert {fleet for fleet, _ in snapshot.sums} == {"default"}
    world.store.clear()
    await pipeline.restore_lost([0])
    assert world.store.snapshots[0].floor == START_MS // 300_000 + 1


async def test_names_that_were_only_refused_do_not_fill_the_table_for_ever() -> None:
    world = World()
    pipeline = await started(world, max_servers=3)
    ahead = START_MS + 10**10
    await run(pipeline, [at(0), at(1), *[record(f"x{i}", ahead, cpu_idle_pct=1.0) for i in range(3)]])
    assert dict(world.publisher.letters[-1].headers)["argus_reason"] == b"too_many_servers"
    pipeline.tidy()
    await run(pipeline, [at(2, "web2"), at(3, "web3"), at(360, "web2")], first=5)
    assert len(world.publisher.letters) == 3
    assert b'"server":"web2"' in world.publisher.published[0].value


async def test_servers_keep_their_numbers_while_few_of_them_are_gone() -> None:
    world = World()
    pipeline = await started(world)
    await run(pipeline, [at(0, f"web{i}") for i in range(9)] + [record("x", START_MS + 10**10, cpu_idle_pct=1.0)])
    pipeline.tidy()
    assert len(pipeline._servers) == 10
    pipeline.release([0])
    pipeline.tidy()
    assert len(pipeline._servers) == 0
