"""The laws of the statistical forecaster."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_forecasting.forecaster import Floats, ForecastBatch, SeriesBatch
from argus_forecasting.statistical import AnalogForecaster

LEVELS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
DAY = 288
HORIZON = 48
FORECASTER = AnalogForecaster()

seeds = st.integers(0, 2**31)


def batch(values: Floats, limit: float = np.nan, harm: int = 1, step_seconds: int = 300) -> SeriesBatch:
    """Percentages that end at the same step."""
    size = len(values)
    return SeriesBatch(
        values.astype(np.float32),
        np.full(size, 5_785_632),
        step_seconds,
        np.zeros(size, np.float32),
        np.full(size, 100, np.float32),
        np.full(size, limit, np.float32),
        np.full(size, harm, np.int8),
    )


def rhythm(seed: int, series: int = 3, steps: int = 8 * DAY, noise: float = 3.0) -> Floats:
    """Series with a daily rhythm and noise."""
    rng = np.random.default_rng(seed)
    hours = np.arange(steps) / DAY * 2 * np.pi
    values = 50 + 20 * np.sin(hours + rng.uniform(0, 6, (series, 1))) + rng.normal(0, noise, (series, steps))
    return np.clip(values, 0, 100).astype(np.float32)


def forecast(values: Floats, limit: float = np.nan, harm: int = 1) -> ForecastBatch:
    """The forecast of percentages."""
    return FORECASTER.forecast(batch(values, limit, harm), HORIZON, LEVELS)


@settings(max_examples=15, deadline=None)
@given(seeds, st.floats(0, 1), st.integers(1, 8 * DAY))
def test_quantiles_are_finite_legal_and_do_not_cross_whatever_is_missing(seed: int, missing: float, steps: int) -> None:
    values = rhythm(seed, steps=steps)
    values[np.random.default_rng(seed).random(values.shape) < missing] = np.nan
    found = forecast(values, limit=80)
    assert np.isfinite(found.quantiles).all()
    assert (np.diff(found.quantiles, axis=2) >= 0).all()
    assert (found.quantiles >= 0).all()
    assert (found.quantiles <= 100).all()
    assert ((found.breach_probability >= 0) & (found.breach_probability <= 1)).all()


@pytest.mark.parametrize("steps", [12, 100, DAY, 8 * DAY])
@pytest.mark.parametrize("value", [0.0, 17.3, 100.0])
def test_a_constant_series_is_forecast_exactly_constant(steps: int, value: float) -> None:
    found = forecast(np.full((1, steps), value, np.float32))
    assert (found.quantiles == np.float32(value)).all()


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_breach_probability_rises_with_the_span_and_falls_with_the_limit(seed: int) -> None:
    values = rhythm(seed)
    near, far = forecast(values, 65).breach_probability, forecast(values, 75).breach_probability
    assert (np.diff(near, axis=1) >= 0).all()
    assert (near >= far - 1e-6).all()


def test_without_a_limit_there_is_no_breach_probability() -> None:
    found = forecast(rhythm(1))
    assert np.isnan(found.breach_probability).all()
    assert np.isnan(found.time_to_threshold).all()


def test_a_limit_that_is_exceeded_now_is_crossed_at_the_first_step() -> None:
    found = forecast(np.full((1, 8 * DAY), 95, np.float32), limit=90)
    assert found.breach_probability[0].min() > 0.98
    assert found.time_to_threshold[0].tolist() == [5.0, 5.0, 5.0]


def test_a_lower_limit_is_crossed_downwards() -> None:
    falling = np.linspace(90, 20, 8 * DAY, dtype=np.float32)[None]
    assert forecast(falling, limit=19, harm=-1).breach_probability[0, -1] > 0.5
    assert forecast(falling, limit=91, harm=1).breach_probability[0, -1] < 0.05


def test_a_filling_disk_is_foreseen_although_it_was_never_so_full() -> None:
    filling = np.linspace(20, 80, 8 * DAY, dtype=np.float32)[None]
    slope = float(filling[0, -1] - filling[0, -2])
    minutes = 5 * (81 - 80) / slope
    found = forecast(filling, limit=81)
    assert found.breach_probability[0, 2] > 0.6
    assert found.time_to_threshold[0, 1] == pytest.approx(minutes, rel=0.35)


def test_memory_that_began_to_leak_two_hours_ago_is_foreseen_to_run_out() -> None:
    rng = np.random.default_rng(4)
    memory = 50 + rng.normal(0, 0.4, (1, 8 * DAY))
    memory[:, -30:] += np.arange(30) * 1.0
    found = forecast(memory.astype(np.float32), limit=95)
    assert found.breach_probability[0, 2] > 0.25
    calm = forecast((50 + rng.normal(0, 0.4, (1, 8 * DAY))).astype(np.float32), limit=95)
    assert calm.breach_probability[0, 3] < 0.03


def test_a_daily_rhythm_is_learned() -> None:
    values = rhythm(5, noise=1.0)
    past, future = values[:, :-HORIZON], values[:, -HORIZON:]
    median = forecast(past).quantiles[:, :, 3]
    naive = np.abs(future - past[:, -1:]).mean()
    assert np.abs(future - median).mean() < 0.3 * naive


def test_the_band_holds_about_what_it_promises() -> None:
    values = rhythm(6, series=200)
    found = forecast(values[:, :-HORIZON])
    future = values[:, -HORIZON:]
    inside = (future >= found.quantiles[:, :, 1]) & (future <= found.quantiles[:, :, 5])
    assert 0.75 < inside.mean() < 0.88


def test_the_first_sample_gets_a_wide_band_that_says_warming_up() -> None:
    found = forecast(np.array([[40.0]], np.float32))
    assert found.warming_up.tolist() == [True]
    assert found.quantiles[0, 0, 3] == pytest.approx(40, abs=0.5)
    assert 3 < found.quantiles[0, -1, 5] - found.quantiles[0, -1, 1] < 40


def test_bands_of_a_quiet_series_narrow_while_it_warms_up() -> None:
    values = np.random.default_rng(2).normal(40, 0.2, (1, 60)).astype(np.float32)
    widths = [np.ptp(forecast(values[:, :seen]).quantiles[0, -1]) for seen in (1, 12, 60)]
    assert widths[0] > widths[1] > widths[2]


def test_a_series_with_a_week_of_history_is_not_warming_up() -> None:
    found = forecast(rhythm(1))
    assert not found.warming_up.any()
    assert (found.observed_share == 1).all()


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_each_series_is_forecast_on_its_own(seed: int) -> None:
    values = rhythm(seed, series=5)
    together = forecast(values, 70)
    order = np.random.default_rng(seed).permutation(5)
    shuffled = forecast(values[order], 70)
    assert np.array_equal(shuffled.quantiles, together.quantiles[order])
    assert np.array_equal(shuffled.breach_probability, together.breach_probability[order])


def test_more_series_than_a_chunk_give_the_same_as_alone() -> None:
    values = rhythm(8, series=300)
    assert np.array_equal(forecast(values).quantiles[299], forecast(values[299:]).quantiles[0])


def test_shifting_a_series_shifts_its_forecast() -> None:
    values = (rhythm(9) / 4).astype(np.float32)
    free = replace(batch(values), lower=np.full(3, -np.inf, np.float32), upper=np.full(3, np.inf, np.float32))
    moved = replace(free, values=free.values + 32)
    first = FORECASTER.forecast(free, HORIZON, LEVELS).quantiles
    second = FORECASTER.forecast(moved, HORIZON, LEVELS).quantiles
    np.testing.assert_allclose(second - 32, first, atol=0.5)


@pytest.mark.parametrize("step_seconds", [10, 60, 3600])
def test_other_cadences_are_forecast_too(step_seconds: int) -> None:
    found = FORECASTER.forecast(batch(rhythm(3), 90, 1, step_seconds), HORIZON, LEVELS)
    assert found.quantiles.shape == (3, HORIZON, 7)
    assert np.isfinite(found.breach_probability).all()


def test_no_series_give_an_empty_forecast() -> None:
    found = forecast(np.empty((0, 10), np.float32))
    assert found.quantiles.shape == (0, HORIZON, 7)
