"""What a window holds depends on a server's samples alone: not on batches, partitions, duplicates or restarts."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ingest_domain import START_MS, STEP_SECONDS, Partition, Sample, saved, undisturbed

from argus_common.fleet import FleetSums
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_ingest.domain.partition import HELD_STEPS, SILENCE_CHECK_OFFSETS
from argus_ingest.domain.snapshot import Snapshot

Doubles = npt.NDArray[np.float64]
SERVERS = ("web1", "web2", "db1")
LATENESS_SECONDS = 60

samples = st.tuples(
    st.sampled_from(SERVERS), st.integers(0, 5 * STEP_SECONDS).map(float), st.integers(0, 40).map(lambda n: n / 8)
)
streams = st.lists(samples, min_size=1, max_size=40)
"""In any order: about half of such samples come late."""

ordered = streams.map(lambda stream: sorted(stream, key=lambda sample: sample[1]))


def cut(stream: Sequence[Sample], at: Sequence[int]) -> list[tuple[int, Sequence[Sample]]]:
    """(first offset, samples) of the batches between the offsets ``at``."""
    bounds = sorted({0, len(stream), *(offset % (len(stream) + 1) for offset in at)})
    return [(a, stream[a:b]) for a, b in pairwise(bounds)]


cuts = st.lists(st.integers(0, 1000), max_size=8)


@settings(deadline=None)
@given(streams, cuts)
def test_splitting_a_stream_over_batches_changes_nothing(stream: list[Sample], at: list[int]) -> None:
    split = Partition()
    for offset, batch in cut(stream, at):
        split.feed(batch, offset)
    split.finish()
    assert split.outcome() == undisturbed(stream).outcome()


@settings(deadline=None)
@given(streams, st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), max_size=8))
def test_samples_that_come_twice_count_once(stream: list[Sample], repeats: list[tuple[int, int]]) -> None:
    doubled = list(enumerate(stream))
    for which, later in repeats:
        index = which % len(stream)
        place = next(i for i, (original, _) in enumerate(doubled) if original == index)
        doubled.insert(place + 1 + later % (len(doubled) - place), (index, stream[index]))
    partition = undisturbed([sample for _, sample in doubled])
    assert partition.outcome()[0] == undisturbed(stream).outcome()[0]


crashes = st.lists(
    st.tuples(
        st.integers(1, 12), st.sampled_from(["before publishing", "before saving", "before committing", "after"])
    ),
    max_size=4,
)


def live_through(
    stream: Sequence[Sample], crashes: Sequence[tuple[int, str]], batch: int, judged: Mapping[str, int] | None = None
) -> Partition:
    """A life ends after some batches, before or after the effects of its last one were carried out, in their order:
    late samples told, windows published, heads and position saved, offset committed.
    """
    options = {"spacing": 1, **(judged or {})}
    snapshot, committed = Snapshot(), 0
    published: list[bytes] = []
    late: set[int] = set()
    for life, before in [*crashes, (10**6, "never")]:
        partition = Partition(snapshot, published=published, late=late, **options)
        offset = committed
        for number in range(1, life + 1):
            if offset >= len(stream):
                break
            last = number == life
            told = len(published)
            partition.feed(stream[offset : offset + batch], offset)
            offset += batch
            if last and before == "before publishing":
                del published[told:]
                break
            if last and before == "before saving":
                break
            if len(published) > told:
                snapshot = saved(snapshot, partition.windows.take_change())
            if last and before == "before committing":
                break
            committed = (partition.windows.committable() or 0) // options["spacing"]
    partition.finish()
    return partition


@settings(deadline=None)
@given(streams, crashes, st.integers(1, 7))
@example([("db1", 0, 1), ("db1", 400, 2), ("db1", 250, 3), ("db1", 420, 4)], [(3, "after")], 1)
def test_restarts_at_any_point_change_nothing(stream: list[Sample], crashes: list[tuple[int, str]], batch: int) -> None:
    assert live_through(stream, crashes, batch).outcome() == undisturbed(stream).outcome()


def told(moves: Sequence[tuple[str, int, int, int]]) -> list[Sample]:
    """The samples of moves: server, half steps by which event time goes on and by which this sample lags, value."""
    stream, now = [], 0
    for server, on, behind, value in moves:
        now += on
        stream.append((server, max(0, now - behind) * STEP_SECONDS / 2, float(value)))
    return stream


def walks(*lags: int) -> st.SearchStrategy[list[Sample]]:
    """Hours in which servers pause, come back, and send what they had kept back."""
    move = st.tuples(
        st.sampled_from(SERVERS), st.sampled_from([0, 1, 1, 2, 3, 9, 27]), st.sampled_from(lags), st.integers(0, 5)
    )
    return st.lists(move, min_size=15, max_size=60).map(told)


long_streams = walks(0, 0, 0, 1, 2, 5, 12, 40)
ordered_long_streams = walks(0)

silence = st.fixed_dictionaries(
    {
        "silence_steps": st.sampled_from([3, HELD_STEPS + 8]),
        "spacing": st.sampled_from([SILENCE_CHECK_OFFSETS // 3 + 1, SILENCE_CHECK_OFFSETS]),
    }
)
"""Judged after every sample or every third; counters begin anew before they are parked, or after."""


BETWEEN_CHECKS = [("web2", 150.0, 3.0), *[("web1", 150.0, 0.0)] * 2, ("web2", 1500.0, 0.0), ("db1", 1500.0, 0.0)]
"""Judged again with the heads of before the restart, a step would close that stayed open the first time."""


@settings(deadline=None)
@given(long_streams, crashes, st.integers(1, 7), silence)
@example(
    [("web1", 0.0, 0.0)] * 26 + BETWEEN_CHECKS,
    [(6, "after"), (12, "after")],
    7,
    {"silence_steps": 3, "spacing": SILENCE_CHECK_OFFSETS // 3 + 1},
)
def test_restarts_change_nothing_though_servers_fall_silent(
    stream: list[Sample], crashes: list[tuple[int, str]], batch: int, judged: dict[str, int]
) -> None:
    assert live_through(stream, crashes, batch, judged).outcome() == undisturbed(stream, **judged).outcome()


@settings(deadline=None)
@given(ordered_long_streams, crashes, st.integers(1, 7), silence)
def test_forgetting_servers_changes_no_window_while_event_time_does_not_go_back(
    stream: list[Sample], crashes: list[tuple[int, str]], batch: int, judged: dict[str, int]
) -> None:
    forgetful = live_through(stream, crashes, batch, judged | {"forget_steps": judged["silence_steps"] + 1})
    assert forgetful.outcome() == undisturbed(stream, **judged).outcome()


@settings(deadline=None)
@given(streams | long_streams, cuts, st.sampled_from([1, 3]))
def test_silence_is_judged_at_the_same_records_however_the_batches_are_cut(
    stream: list[Sample], at: list[int], silence_steps: int
) -> None:
    split = Partition(silence_steps=silence_steps, forget_steps=4, spacing=2000)
    for offset, batch in cut(stream, at):
        split.feed(batch, offset)
    split.finish()
    assert split.outcome() == undisturbed(stream, silence_steps, 2000, forget_steps=4).outcome()


@settings(deadline=None)
@given(long_streams, crashes, st.integers(1, 7), silence)
def test_a_window_is_never_made_a_second_time_whoever_was_forgotten(
    stream: list[Sample], crashes: list[tuple[int, str]], batch: int, judged: dict[str, int]
) -> None:
    windows, _ = live_through(stream, crashes, batch, judged | {"forget_steps": 4}).outcome()
    made = [(document["server"], document["step"]) for document in map(json.loads, windows)]
    assert len(made) == len(set(made))


@settings(deadline=None)
@given(streams)
def test_splitting_servers_over_partitions_changes_no_window(stream: list[Sample]) -> None:
    separately: list[bytes] = []
    for server in SERVERS:
        separately += undisturbed([sample for sample in stream if sample[0] == server]).outcome()[0]
    assert sorted(separately) == undisturbed(stream).outcome()[0]


@settings(deadline=None)
@given(ordered, st.lists(st.floats(0, LATENESS_SECONDS), min_size=40, max_size=40))
def test_reordering_within_the_allowed_lateness_changes_nothing(stream: list[Sample], delays: list[float]) -> None:
    arrival = sorted(zip(stream, delays, strict=False), key=lambda pair: pair[0][1] + pair[1])
    reordered = undisturbed([sample for sample, _ in arrival])
    assert reordered.outcome() == undisturbed(stream).outcome()
    assert reordered.late == set()


@settings(deadline=None)
@given(streams, streams)
def test_one_servers_wrong_clock_changes_no_window_of_the_others(stream: list[Sample], wrong: list[Sample]) -> None:
    ahead = [("ahead", seconds + 3600, value) for _, seconds, value in wrong]
    mixed = [sample for pair in zip(stream, ahead, strict=False) for sample in pair] + stream[len(ahead) :]
    others = [window for window in undisturbed(mixed).outcome()[0] if b'"ahead"' not in window]
    assert others == undisturbed(stream).outcome()[0]


@settings(deadline=None)
@given(streams, cuts)
def test_the_last_closed_step_of_a_server_never_moves_back(stream: list[Sample], at: list[int]) -> None:
    partition, before = Partition(), dict[str, int]()
    for offset, batch in cut(stream, at):
        partition.feed(batch, offset)
        heads = partition.windows.everything().heads
        assert all(heads[name] >= head for name, head in before.items())
        before = dict(heads)


@settings(deadline=None)
@given(streams, cuts)
def test_every_distinct_sample_is_in_exactly_one_window_or_late_or_open(stream: list[Sample], at: list[int]) -> None:
    partition, windows = Partition(), 0
    for offset, batch in cut(stream, at):
        windows += sum(int(closed.samples.sum()) for closed in partition.feed(batch, offset).windows)
    still_open = partition.windows.close_idle(1e9, START_MS + 10**9, 0.0)
    windows += sum(int(closed.samples.sum()) for closed in still_open.windows)
    in_time = {sample[:2] for offset, sample in enumerate(stream) if offset not in partition.late}
    assert windows == len(in_time)
    assert partition.windows.open_rows() == 0


@settings(deadline=None)
@given(streams, cuts)
def test_nothing_that_is_still_needed_is_committed(stream: list[Sample], at: list[int]) -> None:
    partition = Partition()
    assert partition.windows.committable() is None
    for offset, batch in cut(stream, at):
        partition.feed(batch, offset)
        open_offsets = [int(o) for b in partition.windows._open.values() for c in b._chunks for o in c.offset]
        committable = partition.windows.committable()
        assert committable is not None
        assert committable <= min([*open_offsets, offset + len(batch)])


tables = st.lists(
    st.lists(st.integers(0, 100).map(float) | st.just(float("nan")), min_size=15, max_size=15), max_size=5
).map(lambda rows: np.array(rows, np.float64).reshape(-1, 15))


@settings(deadline=None)
@given(tables, tables, tables)
def test_fleet_sums_merge_in_any_order_to_the_sums_over_all(a: Doubles, b: Doubles, c: Doubles) -> None:
    names = DEFAULT_CATALOGUE.names()
    of_a, of_b, of_c = (FleetSums.of(part, names) for part in (a, b, c))
    whole = FleetSums.of(np.concatenate([a, b, c]), names).to_bytes()
    assert of_a.merge(of_b).merge(of_c).to_bytes() == whole
    assert of_c.merge(of_a.merge(of_b)).to_bytes() == whole
    assert of_b.merge(of_a).to_bytes() == of_a.merge(of_b).to_bytes()
    assert FleetSums.none().merge(of_a).to_bytes() == of_a.to_bytes()
