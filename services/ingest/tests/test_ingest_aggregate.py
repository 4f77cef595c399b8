"""From the samples of a step to one value: by each rule, derived, rounded; counters across steps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_domain import FIRST_STEP, SMALL, START_MS, STEP_SECONDS, Partition, Sample, rows_of, saved

from argus_common.events import WindowClosed
from argus_common.events.codec import decode
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_ingest.domain.aggregate import Aggregator, Windows, round_significant
from argus_ingest.domain.buffer import StepBuffer
from argus_ingest.domain.carry import PARKED, CounterCarry
from argus_ingest.domain.encode import READ_UP_TO, encode_windows
from argus_ingest.domain.fleet import STEPS_KEPT, FleetLedger
from argus_ingest.domain.rates import increase_rate
from argus_ingest.domain.rows import SampleRows, coalesce, concatenate
from argus_ingest.domain.servers import ServerTable
from argus_ingest.domain.snapshot import Snapshot
from argus_ingest.domain.steps import StepClock, newest_before

NONE = SampleRows.empty(len(SMALL.received()))
LEVEL, PEAK, STATE, TOTAL, REST = range(5)


def one_window(samples: list[Sample], before: SampleRows = NONE) -> list[float]:
    """The values of the only server's window."""
    windows = Aggregator(SMALL).windows(FIRST_STEP, coalesce(rows_of(ServerTable(), samples)), before)
    assert len(windows) == 1
    values: list[float] = windows.values[0].tolist()
    return values


def test_each_rule_makes_its_value_of_the_step() -> None:
    values = one_window([("a", 0, 10.0), ("a", 30, 40.0), ("a", 60, 25.0)])
    assert values[LEVEL] == 25.0
    assert values[PEAK] == 40.0
    assert values[STATE] == 25.0
    assert values[TOTAL] == pytest.approx((30 + 25) / 60, rel=1e-6)
    assert values[REST] == 100 - 25 + 2 * 40


def test_the_last_value_is_the_newest_that_is_present_whatever_came_last() -> None:
    rows = rows_of(ServerTable(), [("a", 60, 1.0), ("a", 30, 2.0), ("a", 90, math.nan)])
    assert Aggregator(SMALL).windows(0, coalesce(rows), NONE).values[0, STATE] == 1.0


def test_a_metric_without_a_sample_stays_missing_and_what_is_derived_of_it_too() -> None:
    rows = rows_of(ServerTable(), [("a", 0, 1.0), ("b", 0, 7.0)])
    rows.values[1, PEAK] = math.nan
    rows.values[1, STATE] = math.nan
    values = Aggregator(SMALL).windows(0, coalesce(rows), NONE).values[1]
    assert values[LEVEL] == 7.0
    assert np.isnan(values[[PEAK, STATE, TOTAL, REST]]).all()


def test_a_window_tells_how_many_moments_went_into_it() -> None:
    rows = rows_of(ServerTable(), [("b", 0, 1.0), ("a", 0, 1.0), ("a", 30, 1.0), ("a", 30, 2.0)])
    windows = Aggregator(SMALL).windows(0, coalesce(rows), NONE)
    assert (windows.server.tolist(), windows.samples.tolist()) == ([0, 1], [1, 2])


def test_of_two_samples_of_one_moment_the_larger_counts_in_any_order() -> None:
    assert one_window([("a", 0, 1.0), ("a", 0, 3.0)]) == pytest.approx(
        one_window([("a", 0, 3.0), ("a", 0, 1.0)]), nan_ok=True
    )
    assert one_window([("a", 0, 1.0), ("a", 0, 3.0)])[LEVEL] == 3.0


def test_used_cpu_is_what_is_not_idle() -> None:
    names = [metric.name for metric in DEFAULT_CATALOGUE.received()]
    values = np.full((1, len(names)), np.nan, np.float32)
    values[0, names.index("cpu_idle_pct")] = 30
    rows = SampleRows(np.zeros(1, np.int32), np.array([START_MS]), np.zeros(1, np.int64), values)
    empty = SampleRows.empty(len(names))
    window = Aggregator(DEFAULT_CATALOGUE).windows(0, rows, empty).values[0]
    assert window[DEFAULT_CATALOGUE.names().index("cpu_used_pct")] == 70


@settings(deadline=None)
@given(st.just(0.0) | st.floats(1e-30, 1e30) | st.floats(-1e30, -1e-30))
def test_rounding_keeps_seven_digits_and_survives_float32(value: float) -> None:
    rounded = round_significant(np.array([value]))
    assert rounded[0] == pytest.approx(value, rel=6e-7, abs=1e-300)
    assert round_significant(rounded.astype(np.float32).astype(np.float64))[0] == pytest.approx(rounded[0], rel=1e-12)


def rate(*points: tuple[float, float]) -> list[float]:
    times = np.array([round(seconds * 1000) for seconds, _ in points], np.int64)
    values = np.array([value for _, value in points], np.float64)
    rates: list[float] = increase_rate(np.zeros(len(points), np.int32), times, values)[1].tolist()
    return rates


def test_a_counter_becomes_its_increase_per_second() -> None:
    assert rate((0, 100), (10, 150), (20, 400)) == [15.0]


def test_a_counter_that_falls_was_reset_and_counts_from_zero() -> None:
    assert rate((0, 100), (10, 30), (20, 50)) == [2.5]


@pytest.mark.parametrize("points", [[], [(0.0, 5.0)], [(0.0, math.nan), (1.0, 5.0)]])
def test_fewer_than_two_samples_give_no_rate(points: list[tuple[float, float]]) -> None:
    assert rate(*points) == []


def test_missing_counter_samples_are_skipped() -> None:
    assert rate((0, 1), (5, math.nan), (10, 11)) == [1.0]


def test_counters_of_several_servers_do_not_mix() -> None:
    servers, rates = increase_rate(
        np.array([0, 0, 1, 2, 2], np.int32), np.array([0, 1000, 0, 0, 2000]), np.array([1.0, 3, 9, 5, 1])
    )
    assert (servers.tolist(), rates.tolist()) == ([0, 2], [2.0, 0.5])


def totals(partition: Partition) -> list[float | None]:
    """The rate of each window, in order of time."""
    events = sorted(
        (WindowClosed.model_validate_json(value) for value in partition.published), key=lambda event: event.step
    )
    return [event.metrics.get("total") for event in events]


MINUTELY: list[Sample] = [("a", 60.0 * i, 6.0 * i) for i in range(17)]


def test_a_rate_spans_the_boundary_between_steps() -> None:
    partition = Partition()
    partition.feed(MINUTELY, 0)
    partition.finish()
    assert totals(partition) == [0.1, 0.1, 0.1, 0.1]


def test_a_single_sample_in_a_step_has_a_rate_against_the_step_before() -> None:
    partition = Partition()
    partition.feed([("a", 0, 0.0), ("a", 300, 30.0), ("a", 600, 90.0)], 0)
    partition.finish()
    assert totals(partition) == [None, 0.1, 0.2]


def test_a_counter_that_restarts_between_steps_counts_from_zero() -> None:
    partition = Partition()
    partition.feed([("a", 0, 500.0), ("a", 300, 30.0)], 0)
    partition.finish()
    assert totals(partition) == [None, 0.1]


def test_a_rate_goes_on_after_a_restart_of_ingest() -> None:
    first = Partition()
    first.feed(MINUTELY[:8], 0)
    committed = first.windows.committable()
    assert committed == 4  # the last counter sample of the closed step is still needed
    second = Partition(saved(Snapshot(), first.windows.take_change()), published=first.published)
    progress = second.feed(MINUTELY[committed:], committed)
    second.finish()
    assert progress.replayed == 1
    assert totals(second) == [0.1, 0.1, 0.1, 0.1]


def test_a_counter_sample_that_was_late_before_the_restart_is_late_after_it() -> None:
    stream: list[Sample] = [("a", 0, 0.0), ("a", 400, 40.0), ("a", 250, 39.0), ("a", 460, 46.0), ("a", 800, 80.0)]
    calm = Partition()
    calm.feed(stream, 0)
    calm.finish()
    first = Partition()
    first.feed(stream[:4], 0)
    second = Partition(saved(Snapshot(), first.windows.take_change()), published=first.published)
    committed = first.windows.committable()
    assert committed == 0
    second.feed(stream[committed:], committed)
    second.finish()
    assert totals(second) == totals(calm)


def test_without_counters_nothing_is_carried() -> None:
    carry = CounterCarry(np.zeros(0, np.int64), 4)
    carry.keep_last(rows_of(ServerTable(), [("a", 0, 1.0)]))
    assert carry.oldest_offset() == PARKED


def carried(servers: ServerTable) -> CounterCarry:
    """Two servers' counter, ``a`` a minute after ``b``."""
    carry = CounterCarry(np.array([TOTAL]), 4)
    carry.keep_last(rows_of(servers, [("a", 0, 1.0), ("a", 60, 2.0), ("b", 0, 3.0)], first_offset=7))
    carry.keep_last(rows_of(servers, [("a", 30, 9.0)], first_offset=20))
    carry.keep_last(NONE)
    return carry


def test_the_carry_keeps_the_newest_of_each_counter_and_gives_what_is_not_too_old() -> None:
    carry = carried(ServerTable())
    both = np.array([True, True])
    kept = carry.of(np.array([True, False]), 0)
    assert (kept.time_ms.tolist(), kept.values[:, TOTAL].tolist()) == ([START_MS + 60_000], [2.0])
    assert carry.oldest_offset() == 8
    assert len(carry.of(both, START_MS)) == 2
    assert len(carry.of(both, START_MS + 1)) == 1


def test_a_parked_counter_holds_no_offset_and_is_told_once() -> None:
    servers = ServerTable()
    carry = carried(servers)
    assert carry.park(START_MS + 1, servers) == {"default/b": [(TOTAL, START_MS, 3.0)]}
    assert carry.oldest_offset() == 8
    assert carry.park(START_MS + 1, servers) == {}
    assert carry.park(START_MS + 60_001, servers) == {"default/a": [(TOTAL, START_MS + 60_000, 2.0)]}
    assert carry.oldest_offset() == PARKED
    assert len(carry.of(np.array([True, True]), 0)) == 2
    assert carry.all_parked(servers).keys() == {"default/a", "default/b"}


def test_what_was_parked_is_carried_again_once_its_server_is_heard_until_a_newer_sample_comes() -> None:
    servers = ServerTable()
    carry = CounterCarry(np.array([TOTAL]), 4, {"default/a": [(TOTAL, START_MS, 5.0)], "default/b": []})
    assert carry.all_parked(servers).keys() == {"default/a", "default/b"}
    first = rows_of(servers, [("b", 0, 1.0), ("a", 60, 7.0)], first_offset=3)
    carry.heard(0, servers.names)
    kept = carry.of(np.array([True, True]), 0)
    assert (kept.server.tolist(), kept.values[:, TOTAL].tolist()) == ([1], [5.0])
    carry.keep_last(first)
    assert carry.of(np.array([False, True]), 0).values[:, TOTAL].tolist() == [7.0]
    assert carry.oldest_offset() == 3
    assert carry.all_parked(servers) == {}


def test_the_carry_forgets_by_number_and_by_name() -> None:
    servers = ServerTable()
    carry = carried(servers)
    carry.forget(np.array([False, True]), ["default/b"])
    assert carry.of(np.array([True, True]), 0).server.tolist() == [0]
    unheard = CounterCarry(np.array([TOTAL]), 4, {"default/gone": [(TOTAL, START_MS, 5.0)]})
    unheard.forget(np.zeros(0, bool), ["default/gone"])
    assert unheard.all_parked(servers) == {}


def test_the_carry_of_counters_that_were_never_sent_is_empty() -> None:
    rows = rows_of(ServerTable(), [("a", 0, math.nan)])
    carry = CounterCarry(np.array([TOTAL]), 4)
    carry.keep_last(rows)
    assert carry.oldest_offset() == PARKED


def test_a_buffer_that_is_sent_the_same_again_and_again_stays_small() -> None:
    buffer, servers = StepBuffer(), ServerTable()
    samples: list[Sample] = [(f"s{i}", 0, 1.0) for i in range(1000)]
    for repeat in range(50):
        buffer.add(rows_of(servers, samples, first_offset=repeat * 1000))
    assert len(buffer) <= 2 * 4096
    assert buffer.oldest_offset() == 0
    assert len(buffer.take(np.ones(1000, bool))) == 1000
    assert len(buffer) == 0


def test_a_buffer_gives_away_some_servers_and_keeps_the_others() -> None:
    buffer, servers = StepBuffer(), ServerTable()
    buffer.add(rows_of(servers, [("a", 0, 1.0), ("b", 0, 2.0), ("a", 0, 1.0)], first_offset=5))
    taken = buffer.take(np.array([True, False]))
    assert taken.server.tolist() == [0]
    assert (len(buffer), buffer.oldest_offset(), buffer.servers().tolist()) == (1, 6, [1])


def test_rows_that_are_merged_keep_the_oldest_offset() -> None:
    rows = rows_of(ServerTable(), [("a", 0, 1.0), ("a", 0, 5.0)], first_offset=3)
    merged = coalesce(rows)
    assert (merged.offset.tolist(), merged.values[0, 0]) == ([3], 5.0)
    assert len(coalesce(NONE)) == 0
    assert concatenate([merged]) is merged


def test_the_clock_cuts_time_and_tells_what_a_watermark_has_closed() -> None:
    clock = StepClock(step_ms=300_000, lateness_ms=60_000)
    assert clock.step_of(np.array([0, 299_999, 300_000])).tolist() == [0, 0, 1]
    assert clock.closed_by(np.array([359_999, 360_000])).tolist() == [-1, 0]
    assert clock.end_ms(1) == 600_000


def test_each_row_is_judged_by_what_came_before_it_of_the_same_server() -> None:
    server = np.array([1, 0, 1, 0, 1], np.int32)
    times = np.array([50, 10, 20, 5, 60])
    before, after = newest_before(server, times, np.array([7, 0]))
    assert before.tolist() == [0, 7, 50, 10, 50]
    assert after.tolist() == [50, 10, 50, 10, 60]


NAMES = DEFAULT_CATALOGUE.names()


def window_of(step: int, *servers: int) -> Windows:
    values = np.full((len(servers), len(NAMES)), np.nan)
    values[:, NAMES.index("cpu_user_pct")] = 10.0
    return Windows(step, np.array(servers, np.int32), np.ones(len(servers), np.int64), values)


def two_fleets() -> ServerTable:
    servers = ServerTable()
    for fleet, server in [("x", "a"), ("y", "b"), ("x", "c")]:
        servers.add(fleet, server, None)
    return servers


def test_the_ledger_sums_by_fleet_and_step_and_returns_what_changed() -> None:
    ledger = FleetLedger()
    ledger.add([window_of(5, 0)], two_fleets(), NAMES)
    changed = ledger.add([window_of(5, 1, 2), window_of(6, 0)], two_fleets(), NAMES)
    assert {key: sums.sums[0] for key, sums in changed.items()} == {("x", 5): 2, ("y", 5): 1, ("x", 6): 1}
    assert FleetLedger.restored(ledger.sums).sums == ledger.sums


def test_the_ledger_forgets_old_steps_and_no_longer_counts_for_them() -> None:
    ledger = FleetLedger()
    ledger.add([window_of(5, 0, 1)], two_fleets(), NAMES)
    ledger.add([window_of(5 + STEPS_KEPT, 0)], two_fleets(), NAMES)
    assert set(ledger.sums) == {("x", 5 + STEPS_KEPT), ("y", 5)}
    assert ledger.add([window_of(5, 0)], two_fleets(), NAMES) == {}


def test_a_window_is_an_event_that_every_reader_can_decode() -> None:
    (record,) = encode_windows(window_of(FIRST_STEP, 1), two_fleets(), NAMES, STEP_SECONDS, "3:77")
    event = decode(WindowClosed, record)
    assert event == WindowClosed(
        fleet="y", server="b", step=FIRST_STEP, step_seconds=300, samples=1, metrics={"cpu_user_pct": 10.0}
    )
    headers = dict(record.headers)
    assert headers["ce_id"].decode() == event.id()
    assert headers["ce_type"].decode() == WindowClosed.type
    assert headers[READ_UP_TO] == b"3:77"
    assert record.key == b"b"


def test_the_same_window_gives_the_same_bytes() -> None:
    again = [next(encode_windows(window_of(9, 0), two_fleets(), NAMES, 300, "0:1")) for _ in range(2)]
    assert again[0] == again[1]
