"""Ranks, windows and kinds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from argus_drift.domain import windows
from argus_drift.domain.channels import Channels
from argus_drift.domain.kinds import began, is_gradual, kind_of
from argus_drift.domain.ranks import KNOTS, Floats, knots_of, ranks
from argus_drift.domain.rules import FORGIVEN_HOURS

SERIES = arrays(np.float32, (3, 60), elements=st.floats(-100, 100, width=32))
QUIET = {
    "level": 0.0,
    "spread": 0.0,
    "movement": 0.0,
    "rhythm": 0.0,
    "swing": 0.0,
    "gap": 0.0,
    "distance": 0.0,
    "pace": 0.0,
}


@settings(max_examples=50, deadline=None)
@given(values=SERIES)
def test_ranks_rise_with_the_values_and_are_even_over_the_reference(values: Floats) -> None:
    place = ranks(values, knots_of(values))
    order = np.argsort(values, axis=1)
    assert (np.diff(np.take_along_axis(place, order, axis=1), axis=1) >= 0).all()
    np.testing.assert_allclose(place.mean(axis=1), 0.5, atol=0.06)


def test_what_is_missing_has_no_rank_and_makes_no_knot() -> None:
    samples = np.array([[1, np.nan, 2, np.nan, 3]], np.float32)
    assert np.isnan(ranks(samples, knots_of(samples))[0, [1, 3]]).all()
    assert knots_of(samples).shape == (1, KNOTS)
    assert np.isnan(knots_of(np.full((1, 5), np.nan, np.float32))).all()


def test_every_column_has_the_name_of_its_metrics() -> None:
    channels = Channels.of(("a", "b", "c"))
    assert [channels.metric("distance", i) for i in range(3)] == ["a, b", "a, c", "b, c"]
    assert channels.metric("level", 2) == "c"
    assert channels.columns["pace"].stop == channels.width == 21


def test_a_window_with_few_known_hours_has_no_mean() -> None:
    hours = np.full((16, 1, 1), 0.5, np.float32)
    hours[:5] = np.nan
    assert np.isnan(windows.mean(hours)).all()
    hours[4] = 0.5
    assert windows.mean(hours).item() == 0.5


@settings(max_examples=30, deadline=None)
@given(hours=arrays(np.float32, (40, 2, 3), elements=st.floats(0, 1, width=32)), span=st.integers(8, 40))
def test_all_windows_of_a_reference_have_the_mean_that_each_has_alone(hours: Floats, span: int) -> None:
    together = windows.means_within(hours, span)
    alone = [windows.mean(hours[begin : begin + span]) for begin in range(len(hours) - span + 1)]
    np.testing.assert_allclose(together, np.stack(alone), atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(begin=st.integers(0, 23), length=st.integers(0, FORGIVEN_HOURS), size=st.floats(-1, 1))
def test_any_eight_hours_in_a_row_are_forgiven(begin: int, length: int, size: float) -> None:
    hours = np.full((1, 24), 0.5, np.float32)
    hours[0, begin : begin + length] += np.float32(size)
    low, high = np.array([0.45], np.float32), np.array([0.55], np.float32)
    assert windows.forgiving_excess(hours, low, high)[0] < 0


def test_more_than_eight_hours_are_not_forgiven() -> None:
    hours = np.full((1, 24), 0.5, np.float32)
    hours[0, 10:] = 1
    assert windows.forgiving_excess(hours, np.array([0.45], np.float32), np.array([0.55], np.float32))[0] > 0


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        ({"gap": 2.0, "level": 0.6}, "level"),
        ({"gap": 2.0, "level": 0.6, "movement": 0.7}, "variance"),
        ({"swing": 1.2, "pace": 1.1}, "seasonality"),
        ({"swing": 1.0, "pace": 1.1}, "relation"),
        ({"distance": 1.0}, "relation"),
    ],
)
def test_the_simplest_change_that_explains_the_evidence_is_told(evidence: dict[str, float], kind: str) -> None:
    step = np.repeat(np.array([0, 1], np.float32), 24)
    assert kind_of({**QUIET, **evidence}, step) == kind


def test_a_level_that_rises_hour_by_hour_is_a_trend() -> None:
    rise = np.maximum(np.arange(48, dtype=np.float32) - 10, 0)
    assert kind_of({**QUIET, "level": 1.0}, rise) == "trend"


def test_a_course_that_is_constant_or_hardly_known_is_no_trend() -> None:
    assert not is_gradual(np.zeros(48, np.float32))
    assert not is_gradual(np.full(48, np.nan, np.float32))


@settings(deadline=None)
@given(at=st.integers(24, 40), size=st.sampled_from((-3.0, 0.2)))
def test_a_step_began_where_it_is(at: int, size: float) -> None:
    course = np.zeros(48, np.float32)
    course[at:] = size
    assert began(course) == at
