"""Shares of paths to probabilities: the fit settles, whatever the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_forecasting.calibration import fit_lines, on_line
from argus_forecasting.forecaster import Floats


def loss(line: tuple[float, float], share: Floats, crossed: Floats) -> float:
    p = np.clip(on_line(share, *line).astype(np.float64), 1e-300, 1 - 1e-16)
    penalty = (line[0] ** 2 + (line[1] - 1) ** 2) / 2
    return float(-(crossed * np.log(p) + (1 - crossed) * np.log(1 - p)).sum() + penalty)


def test_what_already_happens_as_often_as_it_says_stays_as_it_is() -> None:
    rng = np.random.default_rng(1)
    share = rng.uniform(0.01, 0.99, 20_000).astype(np.float32)
    intercept, slope = fit_lines(share, (rng.random(20_000) < share).astype(np.float32))
    assert intercept == pytest.approx(0, abs=0.06)
    assert slope == pytest.approx(1, abs=0.06)


def test_the_fit_settles_where_most_shares_are_nothing_and_some_of_them_cross() -> None:
    share = np.array([0.0] * 3000 + [1.0] * 60 + [0.05] * 300, np.float32)
    crossed = np.array([0.0] * 2900 + [1.0] * 100 + [0.0] * 55 + [1.0] * 5 + [0.0] * 290 + [1.0] * 10, np.float32)
    line = fit_lines(share, crossed)
    assert np.abs(line).max() < 20
    assert loss(line, share, crossed) < loss((0.0, 1.0), share, crossed)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1))
def test_a_fitted_line_is_never_worse_than_none(seed: int, empty: float, rate: float) -> None:
    rng = np.random.default_rng(seed)
    share = np.where(rng.random(200) < empty, 0, rng.random(200)).astype(np.float32)
    crossed = (rng.random(200) < rate).astype(np.float32)
    assert loss(fit_lines(share, crossed), share, crossed) <= loss((0.0, 1.0), share, crossed) + 1e-3
