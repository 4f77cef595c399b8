"""Where a limit lies before a correction: paths counted there are the paths that would cross after it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_forecasting.forecaster import Signs
from argus_forecasting.online.limits import limit_before
from argus_forecasting.scores import Doubles

UP, DOWN = np.array([1], np.int8), np.array([-1], np.int8)


def before(limit: float, raw: list[float], moved: list[float], harm: Signs = UP) -> float:
    """One series, one lead."""
    shape = (1, 1, len(raw))
    found = limit_before(
        np.array([limit], np.float32),
        harm,
        np.array(raw, np.float32).reshape(shape),
        np.array(moved, np.float32).reshape(shape),
    )
    return float(found[0, 0])


def test_a_limit_lies_where_the_correction_takes_it_from() -> None:
    assert before(15, [0, 10, 20], [0, 20, 40]) == 7.5
    assert before(50, [0, 10, 20], [0, 20, 40]) == 30, "beyond the outermost quantile it shifts as that one does"
    assert before(-5, [0, 10, 20], [2, 20, 40]) == -7


def test_a_limit_below_is_the_mirror_image() -> None:
    assert before(-15, [-20, -10, 0], [-40, -20, 0], DOWN) == -7.5
    assert before(-50, [-20, -10, 0], [-40, -20, 0], DOWN) == -30


def test_what_was_not_moved_keeps_its_limit_exactly() -> None:
    quantiles = [0.1, 33.3, 66.6]
    for limit in (90.0, 66.6, 0.3, -1.7):
        assert before(limit, quantiles, quantiles) == np.float32(limit)


def test_no_limit_stays_none() -> None:
    assert np.isnan(before(float("nan"), [0, 1, 2], [1, 2, 3]))


rising = st.lists(st.integers(0, 400), min_size=4, max_size=4, unique=True).map(sorted)


def moved_as(values: Doubles, raw: list[float], moved: list[float]) -> Doubles:
    """The rising map from ``raw`` to ``moved``, applied to values."""
    outer = np.where(values < raw[0], values - raw[0] + moved[0], values - raw[-1] + moved[-1])
    return np.where((values < raw[0]) | (values > raw[-1]), outer, np.interp(values, raw, moved))


@settings(max_examples=200)
@given(rising, rising, st.integers(-50, 450), st.sampled_from([UP, DOWN]))
def test_a_path_is_beyond_the_moved_limit_where_its_correction_is_beyond_the_limit(
    raw: list[float], moved: list[float], limit: float, harm: Signs
) -> None:
    values = np.arange(-100, 500, dtype=np.float64) + 0.37
    sign = int(harm[0])
    after = moved_as(values, raw, moved) * sign
    found = before(limit, raw, moved, harm) * sign
    clear = np.abs(after - limit * sign) > 1e-2
    assert ((values * sign >= found) == (after >= limit * sign))[clear].all()
