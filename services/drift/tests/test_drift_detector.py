"""The detector: what is drift, what is not, and the laws of its state."""

from functools import cache

import numpy as np
import pytest
from drift_fleet import (
    DAY,
    HOUR,
    STEP_SECONDS,
    TARGETS,
    WEEK,
    Floats,
    detector,
    fleet,
    hours_between,
    play,
    restless,
    through_a_file,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_common.errors import ConfigurationError
from argus_drift.domain.alarm import Alarm
from argus_drift.domain.detector import Detector

ONSET = 8 * DAY + 5 * HOUR


def drifting(kind: str, servers: int = 2, days: int = 12) -> Floats:
    """A fleet whose first server changes for good at `ONSET`."""
    values = fleet(servers, days)
    after = values[ONSET:, 0]
    if kind == "level":
        after += 30
    elif kind == "trend":
        after += np.minimum(np.arange(len(after)) / DAY * 10, 30)[:, None].astype(np.float32)
    elif kind == "variance":
        after += np.random.default_rng(9).normal(0, 15, after.shape).astype(np.float32)
    elif kind == "seasonality":
        after[:] = values[ONSET - 8 * HOUR : len(values) - 8 * HOUR, 0]
    elif kind == "relation":
        values = restless(servers, days)
        values[ONSET:, 0, 1] = values[ONSET:, 1, 1]
    return values


@cache
def told(kind: str) -> tuple[Alarm, ...]:
    return tuple(play(detector(2), drifting(kind)))


@pytest.mark.parametrize("kind", ["level", "trend", "variance", "seasonality", "relation"])
def test_a_lasting_change_is_told_within_two_days_with_its_kind_and_of_the_server_alone(kind: str) -> None:
    alarms = told(kind)
    assert [alarm.server for alarm in alarms] == [0]
    assert alarms[0].kind == kind
    assert 0 < hours_between(alarms, ONSET)[0] <= 48


def test_a_new_level_is_dated_to_the_hour_in_which_it_came() -> None:
    (alarm,) = play(detector(1), drifting("level", servers=1))
    assert abs(alarm.since - ONSET) <= 2 * HOUR
    assert alarm.value > alarm.threshold


def test_a_server_with_a_single_metric_is_watched() -> None:
    alarms = play(detector(1, ("cpu_used_pct",)), drifting("level", servers=1)[:, :, :1])
    assert [(alarm.kind, alarm.metric) for alarm in alarms] == [("level", "cpu_used_pct")]


def test_a_calm_fleet_is_left_alone_for_weeks() -> None:
    assert play(detector(20), fleet(20, 21)) == []


@settings(max_examples=12, deadline=None)
@given(
    begin=st.integers(WEEK, WEEK + DAY),
    length=st.integers(1, 6 * HOUR),
    size=st.sampled_from((-40.0, 25.0, 60.0, 1000.0)),
    seed=st.integers(0, 3),
)
def test_an_incident_of_up_to_six_hours_is_never_drift(begin: int, length: int, size: float, seed: int) -> None:
    values = fleet(1, 11, seed)
    values[begin : begin + length] += np.float32(size)
    assert play(detector(1), values) == []


def test_what_has_become_normal_is_learned_and_told_no_more() -> None:
    values = fleet(1, 30)
    values[ONSET:, 0] += 30
    values[24 * DAY :, 0] -= 30
    alarms = play(detector(1), values)
    assert [alarm.kind for alarm in alarms] == ["level", "level"]
    assert hours_between(alarms[1:], 24 * DAY)[0] <= 48


def test_nothing_is_told_before_a_week_is_known() -> None:
    values = fleet(1, 7)
    values[5 * DAY :] += 50
    watch = detector(1)
    assert play(watch, values[:-1]) == []
    assert not watch.watched.any()
    watch.step(len(values) - 1, values[-1])
    assert watch.watched.all()


def test_a_server_that_hardly_spoke_learns_on_until_it_has_a_week() -> None:
    values = fleet(2, 16)
    values[: 5 * DAY, 1] = np.nan
    watch = detector(2)
    play(watch, values[: 8 * DAY])
    assert watch.watched.tolist() == [True, False]
    play(watch, values[8 * DAY :], 8 * DAY)
    assert watch.watched.tolist() == [True, True]


def test_silence_is_no_drift() -> None:
    values = fleet(1, 12)
    values[8 * DAY :] = np.nan
    assert play(detector(1), values) == []


def test_steps_that_are_left_out_count_as_not_observed() -> None:
    values = drifting("level")
    silent = values.copy()
    silent[8 * DAY : 8 * DAY + 3 * HOUR] = np.nan
    skipped = detector(2)
    alarms = [
        alarm
        for step, row in enumerate(values)
        if not 8 * DAY <= step < 8 * DAY + 3 * HOUR
        for alarm in skipped.step(step, row)
    ]
    assert alarms == play(detector(2), silent)


def test_an_older_step_is_ignored() -> None:
    values, watch = drifting("level"), detector(2)
    alarms = [alarm for step, row in enumerate(values) for at in (step, step - 1) for alarm in watch.step(at, row)]
    assert alarms == list(told("level"))


def test_years_of_silence_are_passed_over_at_once() -> None:
    values = fleet(1, 9)
    watch = detector(1)
    play(watch, values)
    assert watch.step(10**7, values[0]) == []
    assert watch.last_step == 10**7


@settings(max_examples=5, deadline=None)
@given(cut=st.integers(1, 12 * DAY - 1), kind=st.sampled_from(("level", "relation", "seasonality")))
def test_a_snapshot_goes_on_as_if_nothing_had_happened(cut: int, kind: str) -> None:
    values = drifting(kind)
    first, second = detector(2), detector(2)
    before = play(first, values[:cut])
    second.restore(through_a_file(first.snapshot()))
    assert before + play(second, values[cut:], cut) == list(told(kind))


def test_a_snapshot_is_not_changed_by_what_comes_later() -> None:
    values = fleet(2, 9)
    watch = detector(2)
    play(watch, values[: 8 * DAY])
    saved = watch.snapshot()
    kept = through_a_file(saved)
    play(watch, values[8 * DAY :], 8 * DAY)
    for name, array in kept.items():
        np.testing.assert_array_equal(np.asarray(saved[name]), np.asarray(array))


@settings(max_examples=3, deadline=None)
@given(order=st.permutations(range(4)))
def test_the_order_of_the_servers_makes_no_difference(order: list[int]) -> None:
    values = drifting("level", servers=4)
    straight = play(detector(4), values)
    shuffled = play(detector(4), values[:, order])
    assert [(order[a.server], a.step, a.kind, a.since, a.value) for a in shuffled] == [
        (a.server, a.step, a.kind, a.since, a.value) for a in straight
    ]


@settings(max_examples=6, deadline=None)
@given(end=st.integers(WEEK, 12 * DAY))
def test_what_is_told_of_a_time_needs_nothing_that_came_later(end: int) -> None:
    values = drifting("level")
    assert play(detector(2), values[:end]) == [alarm for alarm in told("level") if alarm.step < end]


@pytest.mark.parametrize(("scale", "shift"), [(0.25, 0.0), (1024.0, -50.0)])
def test_the_unit_of_a_metric_makes_no_difference(scale: float, shift: float) -> None:
    values = (np.round(drifting("level", servers=1) * 64) / 64).astype(np.float32)
    other = (values * np.float32(scale) + np.float32(shift * scale)).astype(np.float32)
    assert [(a.step, a.kind) for a in play(detector(1), other)] == [(a.step, a.kind) for a in play(detector(1), values)]


def test_a_step_that_does_not_divide_an_hour_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="420 s does not divide"):
        Detector(1, TARGETS, 420)


def test_a_reference_of_two_days_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 72 h"):
        Detector(1, TARGETS, STEP_SECONDS, 48)
