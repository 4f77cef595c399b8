"""Each server is forecast from its newest window, once nothing is queued behind it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from inference_domain import STEP, arrived

from argus_inference.domain.backlog import FORGET_SECONDS, Arrived, Backlog


def names(taken: list[Arrived]) -> list[tuple[str, int]]:
    return [(one.window.server, one.window.step - STEP) for one in taken]


def test_nothing_is_due_before_anything_was_read() -> None:
    assert not Backlog(5.0).due(now=1e9)


def test_a_batch_with_nothing_behind_it_is_due_at_once() -> None:
    backlog = Backlog(5.0)
    assert backlog.add([arrived("a"), arrived("b")], {0: 12}, {0: 0}, now=0.0) == 0
    assert backlog.due(now=0.0)
    taken, offsets = backlog.take()
    assert names(taken) == [("a", 0), ("b", 0)]
    assert offsets == {0: 12}


def test_while_windows_are_queued_they_are_only_read() -> None:
    backlog = Backlog(5.0)
    backlog.add([arrived("a", STEP)], {0: 1}, {0: 400}, now=0.0)
    assert not backlog.due(now=4.9)
    assert backlog.add([arrived("a", STEP + 1)], {0: 401}, {0: 0}, now=4.9) == 1
    assert backlog.due(now=4.9)
    taken, offsets = backlog.take()
    assert names(taken) == [("a", 1)]
    assert offsets == {0: 401}


def test_a_queue_that_never_empties_is_not_waited_for_longer_than_the_hold() -> None:
    backlog = Backlog(5.0)
    backlog.add([arrived("a")], {0: 1}, {0: 400}, now=10.0)
    backlog.add([arrived("b")], {0: 2}, {0: 400}, now=14.0)
    assert not backlog.due(now=14.9)
    assert backlog.due(now=15.0)


def test_a_queue_on_another_partition_holds_too() -> None:
    backlog = Backlog(5.0)
    backlog.add([arrived("a", partition=0)], {0: 1}, {0: 7}, now=0.0)
    backlog.add([arrived("b", partition=1)], {1: 1}, {1: 0}, now=0.0)
    assert not backlog.due(now=0.0)


def test_the_hold_begins_anew_after_each_take() -> None:
    backlog = Backlog(5.0)
    backlog.add([arrived("a")], {0: 1}, {0: 9}, now=0.0)
    backlog.take()
    assert not backlog.due(now=100.0)
    backlog.add([arrived("a", STEP + 1)], {0: 2}, {0: 8}, now=100.0)
    assert not backlog.due(now=104.9)
    assert backlog.due(now=105.0)


def test_a_window_older_than_one_that_was_forecast_is_skipped_and_counted() -> None:
    backlog = Backlog(5.0)
    backlog.add([arrived("a", STEP)], {0: 1}, {0: 0}, now=0.0)
    backlog.take()
    assert backlog.add([arrived("a", STEP - 1)], {0: 2}, {0: 0}, now=0.0) == 1
    assert backlog.take() == ([], {0: 2})


def test_a_window_that_is_delivered_again_is_forecast_again() -> None:
    backlog = Backlog(5.0)
    backlog.add([arrived("a")], {0: 1}, {0: 0}, now=0.0)
    backlog.take()
    assert backlog.add([arrived("a")], {0: 1}, {0: 0}, now=0.0) == 0
    assert names(backlog.take()[0]) == [("a", 0)]


def test_servers_of_the_same_name_in_two_fleets_are_two_servers() -> None:
    backlog = Backlog(5.0)
    assert backlog.add([arrived("a", fleet="eu"), arrived("a", fleet="us")], {0: 2}, {0: 0}, now=0.0) == 0
    assert [one.name for one in backlog.take()[0]] == ["eu/a", "us/a"]


def test_a_batch_of_unreadable_records_is_committed_too() -> None:
    backlog = Backlog(5.0)
    backlog.add([], {3: 9}, {3: 0}, now=0.0)
    assert backlog.due(now=0.0)
    assert backlog.take() == ([], {3: 9})


def test_after_a_rebalance_everything_waits_to_be_read_again() -> None:
    backlog = Backlog(5.0)
    backlog.add([arrived("a", STEP + 5, partition=0), arrived("b", partition=1)], {0: 9, 1: 4}, {}, now=0.0)
    backlog.restart([1])
    assert not backlog.due(now=1e9)
    assert backlog.add([arrived("a", STEP, partition=0)], {0: 1}, {0: 0}, now=0.0) == 0


def test_servers_that_fell_silent_for_a_day_are_forgotten() -> None:
    backlog = Backlog(5.0)
    day = FORGET_SECONDS // 300
    backlog.add([arrived("gone", STEP)], {0: 1}, {0: 0}, now=0.0)
    backlog.add([arrived("here", STEP + day)], {0: 2}, {0: 0}, now=0.0)
    assert set(backlog._ends[0]) == {"default/gone", "default/here"}
    backlog.add([arrived("here", STEP + day + 1)], {0: 3}, {0: 0}, now=0.0)
    assert set(backlog._ends[0]) == {"default/here"}


streams = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 6)), max_size=30)


@given(streams, st.lists(st.integers(0, 30), max_size=5))
def test_how_a_stream_is_cut_into_batches_changes_neither_what_is_forecast_nor_what_is_skipped(
    stream: list[tuple[str, int]], cuts: list[int]
) -> None:
    windows = [arrived(server, STEP + step) for server, step in stream]
    whole, parts = Backlog(5.0), Backlog(5.0)
    skipped = whole.add(windows, {0: len(windows)}, {0: 0}, now=0.0)
    bounds = [0, *sorted(min(cut, len(windows)) for cut in cuts), len(windows)]
    in_parts = [parts.add(windows[a:b], {0: b}, {0: 0}, now=0.0) for a, b in pairwise(bounds)]
    taken, offsets = parts.take()
    assert (taken, offsets) == whole.take()
    assert sum(in_parts) == skipped
    newest = {server: max(step for name, step in stream if name == server) for server, _ in stream}
    assert dict(names(taken)) == newest
    assert skipped + len(taken) == len(stream)
