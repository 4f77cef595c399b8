"""Steps open and close by each server's own event time; idle and silent servers by the clock and by the others."""

from ingest_domain import FIRST_STEP, SMALL, START_MS, Partition, Sample, rows_of

from argus_ingest.domain.partition import HELD_STEPS, SILENCE_CHECK_OFFSETS
from argus_ingest.domain.rows import SampleRows
from argus_ingest.domain.snapshot import Snapshot

HOUR_MS = 3_600_000
STEPS_A_DAY = 288
TOTAL = SMALL.received().index(SMALL.metrics["total"])


def closed(partition: Partition) -> int:
    return len(partition.published)


def test_a_step_closes_when_its_end_and_the_lateness_have_passed() -> None:
    partition = Partition()
    partition.feed([("a", 0, 1.0), ("a", 359.999, 1.0)], 0)
    assert closed(partition) == 0
    partition.feed([("a", 360, 1.0)], 2)
    assert closed(partition) == 1
    assert partition.windows.everything().heads == {"default/a": FIRST_STEP}


def test_a_sample_of_a_closed_step_is_late_and_told_by_its_row() -> None:
    partition = Partition()
    partition.feed([("a", 360, 1.0)], 0)
    progress = partition.feed([("a", 400, 1.0), ("a", 299, 1.0), ("a", 300, 1.0)], 1)
    assert (progress.late, progress.replayed) == ([1], 0)
    assert partition.late == {2}


def test_a_sample_that_comes_in_the_batch_that_closes_its_step_is_judged_by_its_place() -> None:
    before = Partition()
    assert before.feed([("a", 200, 1.0), ("a", 360, 1.0)], 0).late == []
    after = Partition()
    assert after.feed([("a", 360, 1.0), ("a", 200, 1.0)], 0).late == [1]


def test_a_server_without_samples_in_a_step_gets_no_window_of_it() -> None:
    partition = Partition()
    partition.feed([("a", 0, 1.0), ("a", 1500, 1.0), ("a", 1860, 1.0)], 0)
    steps = [int(window.split(b'"step":')[1].split(b",")[0]) - FIRST_STEP for window in partition.published]
    assert steps == [0, 5]


def test_a_server_with_a_wrong_clock_closes_nobody_elses_step() -> None:
    partition = Partition()
    partition.feed([("a", 0, 1.0), ("ahead", 3600, 1.0), ("a", 10, 1.0)], 0)
    assert closed(partition) == 0
    assert partition.late == set()


def test_an_idle_server_is_closed_by_the_wall_clock_and_a_busy_one_is_not() -> None:
    partition = Partition()
    partition.feed([("idle", 0, 1.0)], 0, now=0.0)
    partition.feed([("busy", 0, 1.0)], 1, now=100.0)
    assert partition.windows.take_change().heads.keys() == {"default/idle", "default/busy"}
    assert partition.windows.close_idle(119.0, START_MS + HOUR_MS, 120.0).windows == []
    (windows,) = partition.windows.close_idle(120.0, START_MS + HOUR_MS, 120.0).windows
    assert windows.server.tolist() == [0]
    assert partition.windows.take_change().heads == {"default/idle": FIRST_STEP}
    assert partition.windows.take_change().heads == {}


def test_an_idle_servers_step_stays_open_while_the_wall_clock_is_in_it() -> None:
    partition = Partition()
    partition.feed([("a", 0, 1.0)], 0, now=0.0)
    assert partition.windows.close_idle(1e6, START_MS + 359_999, 120.0).windows == []
    assert len(partition.windows.close_idle(1e6, START_MS + 360_000, 120.0).windows) == 1


def test_nobody_is_idle_for_the_time_that_the_broker_was_away() -> None:
    partition = Partition()
    partition.feed([("a", 0, 1.0)], 0, now=0.0)
    partition.windows.wake(1000.0)
    assert partition.windows.close_idle(1119.0, START_MS + HOUR_MS, 120.0).windows == []
    assert len(partition.windows.close_idle(1120.0, START_MS + HOUR_MS, 120.0).windows) == 1


def test_a_partition_without_any_server_has_nothing_to_close() -> None:
    partition = Partition()
    assert partition.windows.close_idle(1e6, START_MS, 1.0).windows == []
    partition.windows.add(SampleRows.empty(4), 3 * SILENCE_CHECK_OFFSETS, 0.0)
    assert partition.windows.committable() == 3 * SILENCE_CHECK_OFFSETS


def test_what_was_closed_for_idleness_is_late_afterwards_and_the_next_step_goes_on() -> None:
    partition = Partition()
    partition.feed([("a", 0, 1.0)], 0, now=0.0)
    partition.windows.close_idle(1e6, START_MS + HOUR_MS, 1.0)
    progress = partition.feed([("a", 10, 1.0), ("a", 300, 1.0)], 1)
    assert progress.late == [0]
    assert partition.windows.open_rows() == 1


def silent_partition() -> Partition:
    """One server that stopped, two that go on a day later."""
    partition = Partition(silence_steps=STEPS_A_DAY, spacing=SILENCE_CHECK_OFFSETS // 4)
    day = (STEPS_A_DAY + 3) * 300.0
    partition.feed([("gone", 0, 1.0), ("a", day, 1.0), ("b", day, 1.0)], 0)
    return partition


def test_a_server_a_day_behind_the_others_is_closed_where_an_offset_says_so() -> None:
    partition = silent_partition()
    assert closed(partition) == 0
    partition.feed([("a", (STEPS_A_DAY + 3) * 300.0 + 1, 1.0)], 3)
    assert closed(partition) == 1
    assert partition.windows.everything().heads["default/gone"] == FIRST_STEP


def test_silence_is_judged_at_its_offset_though_the_records_before_it_were_refused() -> None:
    partition = silent_partition()
    late = rows_of(partition.servers, [("gone", 10, 1.0)], first_offset=SILENCE_CHECK_OFFSETS + 5)
    progress = partition.windows.add(late, SILENCE_CHECK_OFFSETS + 6, 0.0)
    assert progress.late == [0]


def test_a_counter_that_stopped_an_hour_ago_is_saved_and_no_longer_holds_the_commit_back() -> None:
    partition = Partition()
    partition.feed([("gone", 0, 1.0), ("gone", 360, 2.0), ("a", 0, 1.0), ("b", 0, 1.0)], 0)
    partition.windows.close_idle(1e6, START_MS + HOUR_MS, 0.0)
    reached = [(server, n * 300.0, 1.0) for n in range(1, HELD_STEPS + 4) for server in ("a", "b")]
    partition.feed(reached[:-2], 4)
    assert partition.windows.take_change().parked == {}
    assert partition.windows.committable() == 1
    partition.feed(reached[-2:], 4 + len(reached))
    change = partition.windows.take_change()
    assert change.parked == {"default/gone": [(TOTAL, START_MS + 360_000, 2.0)]}
    assert partition.windows.committable() == 4 + len(reached) - 6
    assert partition.windows.take_change().parked == {}


def test_a_counter_is_not_compared_with_a_sample_from_before_the_silence() -> None:
    day = STEPS_A_DAY * 300.0
    partition = Partition(silence_steps=STEPS_A_DAY)
    partition.feed([("a", 0, 1.0), ("a", day, 289.0), ("a", day + 360, 300.0)], 0)
    assert b'"total":' in partition.published[1]
    later = Partition(silence_steps=STEPS_A_DAY)
    later.feed([("a", 0, 1.0), ("a", day + 300, 289.0), ("a", day + 660, 300.0)], 0)
    assert b'"total":' not in later.published[1]


def quiet_for(hours: float, *others: Sample, every: float = 300.0) -> Partition:
    """A server that stopped, and two that go on for so long; a check after each of their samples."""
    partition = Partition(silence_steps=4, forget_steps=8, spacing=SILENCE_CHECK_OFFSETS)
    busy = [(server, n * every, 1.0) for n in range(1, round(hours * 3600 / every)) for server in ("a", "b")]
    partition.feed([("gone", 0, 1.0), *sorted([*busy, *others], key=lambda sample: sample[1])], 0)
    return partition


def test_a_server_that_is_long_gone_is_forgotten_and_told_once_so_that_it_can_be_dropped() -> None:
    assert "default/gone" in quiet_for(1.0).windows.everything().heads
    partition = quiet_for(3.0)
    assert partition.windows.servers().tolist() == [False, True, True]
    assert partition.windows.everything().heads.keys() == {"default/a", "default/b"}
    change = partition.windows.take_change()
    assert (change.forgotten, change.floor) == (["default/gone"], FIRST_STEP)
    assert partition.windows.take_change().forgotten == []


def test_a_server_that_was_forgotten_begins_after_its_last_window_though_it_is_new_again() -> None:
    partition = quiet_for(3.0)
    told = closed(partition)
    progress = partition.feed([("gone", 10, 1.0), ("new", 200, 1.0), ("gone", 300, 1.0), ("new", 300, 1.0)], 500)
    assert progress.late == [0, 1]
    assert closed(partition) == told + 2
    assert partition.windows.take_change().heads.keys() >= {"default/gone", "default/new"}


def test_a_server_that_is_alive_is_remembered_however_wrong_its_clock_is() -> None:
    behind = [("slow", -90_000.0 + n, 1.0) for n in range(0, 10_800, 600)]
    partition = Partition(silence_steps=4, forget_steps=8, spacing=SILENCE_CHECK_OFFSETS)
    stream = [("a", 0.0, 1.0), ("b", 0.0, 1.0)]
    for number, sample in enumerate(behind):
        stream += [("a", number * 600.0, 1.0), ("b", number * 600.0, 1.0), sample]
    partition.feed(stream, 0)
    assert "default/slow" in partition.windows.everything().heads
    assert partition.late == set()


def test_servers_that_did_not_come_back_after_a_restart_are_forgotten_too() -> None:
    heads = {"east/gone": FIRST_STEP, "default/a": FIRST_STEP}
    parked = {"east/gone": [(TOTAL, START_MS, 1.0)]}
    restored = Snapshot(0, heads, floor=7, parked=parked)
    partition = Partition(restored, silence_steps=4, forget_steps=8, spacing=SILENCE_CHECK_OFFSETS)
    partition.feed([(server, n * 300.0, 1.0) for n in range(11) for server in ("a", "b")], 0)
    assert partition.windows.everything().parked == parked
    assert (partition.windows.everything().floor, partition.windows.fleets()) == (7, {"default", "east"})
    partition.feed([(server, n * 300.0, 1.0) for n in range(11, 40) for server in ("a", "b")], 22)
    assert partition.windows.take_change().forgotten == ["east/gone"]
    assert partition.windows.everything().parked == {}
    assert (partition.windows.everything().floor, partition.windows.fleets()) == (FIRST_STEP, {"default"})


def test_servers_can_be_numbered_anew_in_the_middle_of_their_steps() -> None:
    def live(*, renumber: bool) -> Partition:
        partition = Partition()
        partition.servers.add("default", "of another partition", None)
        partition.feed([("a", 0, 1.0), ("b", 10, 2.0), ("a", 360, 3.0)], 0)
        if renumber:
            kept = partition.windows.servers()
            assert kept.tolist() == [False, True, True]
            partition.windows.renumber(kept)
            partition.servers.keep(kept.tolist())
            assert partition.servers.ids == {"default/a": 0, "default/b": 1}
        partition.feed([("c", 20, 1.0), ("b", 370, 5.0), ("a", 380, 4.0), ("c", 370, 9.0)], 3)
        partition.finish()
        return partition

    assert live(renumber=True).outcome() == live(renumber=False).outcome()


def test_the_commit_stays_at_the_oldest_record_that_is_still_needed() -> None:
    partition = Partition()
    partition.feed([("a", 0, 1.0), ("b", 0, 1.0), ("a", 360, 1.0)], 0)
    assert partition.windows.committable() == 0  # the carried counter of a
    partition.feed([("b", 360, 1.0)], 3)
    assert partition.windows.committable() == 0
    partition.feed([("a", 660, 1.0), ("b", 660, 1.0)], 4)
    assert partition.windows.committable() == 2


def test_before_anything_was_read_nothing_can_be_committed() -> None:
    partition = Partition(Snapshot(1000, {"default/a": FIRST_STEP}))
    assert partition.windows.committable() is None
    partition.windows.close_idle(1e6, START_MS, 0.0)
    assert partition.windows.committable() is None


def test_what_was_accounted_for_before_a_restart_stays_so_while_it_is_read_again() -> None:
    partition = Partition(Snapshot(1000, {"default/a": FIRST_STEP}))
    progress = partition.feed([("a", 0, 1.0), ("a", 300, 1.0)], 500)
    assert (progress.late, progress.replayed) == ([], 1)
    assert partition.windows.accounted == 1000
    partition.feed([("a", 301, 1.0)], 1000)
    assert partition.windows.accounted == 1001


def test_the_heads_of_servers_that_did_not_come_back_yet_are_still_told() -> None:
    partition = Partition(Snapshot(0, {"default/gone": 7, "default/a": FIRST_STEP - 5}))
    partition.feed([("a", 360, 1.0)], 0)
    assert partition.windows.everything().heads == {"default/gone": 7, "default/a": FIRST_STEP}


def test_a_batch_of_nothing_but_refused_records_moves_the_commit_on() -> None:
    partition = Partition()
    partition.windows.add(SampleRows.empty(len(SMALL.received())), 12, 0.0)
    assert partition.windows.committable() == 12
