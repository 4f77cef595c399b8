"""Bands learn from what came: coverage becomes right, and nothing that is certain is touched."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from argus_forecasting.forecaster import Bands, Floats, SeriesBatch, Trust
from argus_forecasting.online.bands import DRAW, LARGEST, at_scored_leads, corrected, learned, scored
from argus_forecasting.statistical import AnalogForecaster

LEVELS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
LEADS = (1, 12, 96)
NORMAL = np.array([-2.054, -1.282, -0.674, 0, 0.674, 1.282, 2.054], np.float32)
SERIES = 400


def begun(series: int, offset: float = 0.0) -> Bands:
    """Nothing was learned yet but a common offset."""
    shape = (series, len(LEADS), len(LEVELS))
    return Bands(LEADS, np.full(shape, offset, np.float32), np.full(shape[:2], np.nan, np.float32))


def forecast_of(spread: float, centre: float = 0.0, series: int = SERIES) -> Floats:
    """(series, scored lead, level) normal quantiles."""
    return np.tile((centre + spread * NORMAL).astype(np.float32), (series, len(LEADS), 1))


def taught(bands: Bands, raw: Floats, truth: Floats) -> Bands:
    """After the columns of ``truth`` (series, step), the series being a fleet."""
    for value in truth.T:
        fleet = np.broadcast_to(bands.offset.mean(axis=0), bands.offset.shape)
        bands = learned(bands, raw, LEVELS, value, fleet)
    return bands


def covered(raw: Floats, bands: Bands, truth: Floats) -> list[float]:
    """By scored lead, of the 10 to 90 % band."""
    made = np.sort(at_scored_leads(raw, LEVELS, bands), axis=2)
    inside = (truth[:, None] >= made[..., 1, None]) & (truth[:, None] <= made[..., 5, None])
    return [float(inside[:, k].mean()) for k in range(len(LEADS))]


@pytest.mark.parametrize(("spread", "centre"), [(0.5, 0.0), (2.0, 0.0), (1.0, 0.7)])
def test_a_band_that_is_too_narrow_too_wide_or_aside_comes_to_cover_eight_of_ten(spread: float, centre: float) -> None:
    rng = np.random.default_rng(1)
    raw = forecast_of(spread, centre)
    came = rng.normal(size=(SERIES, 600)).astype(np.float32)
    bands = taught(begun(SERIES), raw, came)
    fresh = rng.normal(size=(SERIES, 200)).astype(np.float32)
    before, after = covered(raw, begun(SERIES), fresh), covered(raw, bands, fresh)
    for lead in (0, 1):
        assert abs(after[lead] - 0.8) < 0.35 * abs(before[lead] - 0.8)
    assert abs(after[2] - 0.8) < 0.8 * abs(before[2] - 0.8), "a long lead learns slowly, but it learns"


def test_a_band_that_was_right_stays_right() -> None:
    rng = np.random.default_rng(2)
    raw = forecast_of(1.0)
    bands = taught(begun(SERIES), raw, rng.normal(size=(SERIES, 600)).astype(np.float32))
    assert covered(raw, bands, rng.normal(size=(SERIES, 200)).astype(np.float32)) == pytest.approx([0.8] * 3, abs=0.01)


def test_a_new_series_is_corrected_as_its_fleet_is() -> None:
    raw = forecast_of(1.0, series=1)
    assert at_scored_leads(raw, LEVELS, begun(1, 0.1))[0, 0, 3] == pytest.approx(0.1 * 2.564, abs=1e-3)


def test_an_offset_is_drawn_towards_the_fleet() -> None:
    raw = forecast_of(1.0, series=1)
    own, middle = at_scored_leads(raw, LEVELS, begun(1))[0], 3
    after = learned(begun(1), raw, LEVELS, own[0, middle : middle + 1], np.ones_like(begun(1).offset))
    assert after.offset[0, 0, middle] == pytest.approx(DRAW), "the value lay on the median, which had nothing to learn"


def test_a_series_that_never_moves_is_left_exactly_as_it_is() -> None:
    raw = np.full((1, len(LEADS), len(LEVELS)), 40, np.float32)
    bands = taught(begun(1), raw, np.array([[40, 40, 55, 40]], np.float32))
    assert bands.offset.tolist() == begun(1).offset.tolist()
    lower, upper = np.zeros(1, np.float32), np.full(1, 100, np.float32)
    whole = np.full((1, 96, len(LEVELS)), 40, np.float32)
    assert corrected(whole, LEVELS, begun(1, 1.0), lower, upper).tolist() == whole.tolist()


@pytest.mark.parametrize("nothing", ["value", "forecast"])
def test_without_a_value_or_a_forecast_nothing_is_learned(nothing: str) -> None:
    raw, value = forecast_of(1.0, series=1), np.ones(1, np.float32)
    if nothing == "value":
        value[:] = np.nan
    else:
        raw[:] = np.nan
    after = learned(begun(1, 0.3), raw, LEVELS, value, np.zeros_like(begun(1).offset))
    assert after.offset.tolist() == begun(1, 0.3).offset.tolist()
    assert np.isnan(after.usual).all()


def test_a_forecast_that_happens_to_be_wide_is_not_moved_out_of_proportion() -> None:
    narrow, wide = forecast_of(1.0, series=1), forecast_of(100.0, series=1)
    bands = replace(begun(1, 0.1), usual=np.full((1, len(LEADS)), 2.564, np.float32))
    assert at_scored_leads(narrow, LEVELS, bands)[0, 0, 3] == pytest.approx(0.2564, abs=1e-3)
    assert at_scored_leads(wide, LEVELS, bands)[0, 0, 3] == pytest.approx(2.564, abs=1e-2), "ten times, not a hundred"


def test_between_scored_leads_offsets_go_with_the_logarithm_of_the_lead() -> None:
    bands = begun(1)
    bands.offset[0, 1] = 1.0
    raw = np.tile(NORMAL, (1, 96, 1))
    moved = corrected(raw, LEVELS, bands, np.full(1, -99, np.float32), np.full(1, 99, np.float32)) - raw
    shares = moved[0, :, 3] / 2.564
    assert shares[[0, 11, 95]] == pytest.approx([0, 1, 0], abs=1e-3)
    assert shares[2] == pytest.approx(np.log(3) / np.log(12), abs=1e-3)
    assert shares[32] == pytest.approx(1 - np.log(33 / 12) / np.log(8), abs=1e-3)


def test_a_horizon_that_is_shorter_than_a_scored_lead_does_without_it() -> None:
    raw = np.tile(NORMAL, (1, 20, 1))
    assert np.isnan(scored(raw, LEADS)[0, :, 0]).tolist() == [False, False, True]
    bands = begun(1, 0.2)
    bands.offset[0, 2] = 9.0
    moved = corrected(raw, LEVELS, bands, np.full(1, -99, np.float32), np.full(1, 99, np.float32)) - raw
    assert moved[0, :, 3] == pytest.approx(np.full(20, 0.2 * 2.564), abs=1e-3)


steps = st.floats(-3, 3, width=32)


@settings(max_examples=60)
@given(
    arrays(np.float32, (4, 96, len(LEVELS)), elements=st.floats(0, 100, width=32)),
    arrays(np.float32, (4, len(LEADS), len(LEVELS)), elements=steps),
    arrays(np.float32, (4, len(LEADS)), elements=st.floats(0, 50, width=32)),
)
def test_corrected_quantiles_rise_and_stay_in_the_legal_range(raw: Floats, offset: Floats, usual: Floats) -> None:
    made = corrected(
        np.sort(raw, axis=2), LEVELS, Bands(LEADS, offset, usual), np.zeros(4, np.float32), np.full(4, 100, np.float32)
    )
    assert (np.diff(made, axis=2) >= 0).all()
    assert made.min() >= 0
    assert made.max() <= 100


@settings(max_examples=60)
@given(arrays(np.float32, (6, 40), elements=st.floats(-1e6, 1e6, width=32)))
def test_whatever_comes_an_offset_stays_within_its_bounds(came: Floats) -> None:
    bands = taught(begun(6), forecast_of(1.0, series=6), came)
    assert np.isfinite(bands.offset).all()
    assert np.abs(bands.offset).max() <= LARGEST


def test_a_forecaster_that_is_told_nothing_learned_says_the_same_as_without_being_told() -> None:
    rng = np.random.default_rng(5)
    values = np.clip(50 + np.cumsum(rng.normal(size=(4, 800)), axis=1), 0, 100).astype(np.float32)
    batch = replace(SeriesBatch.plain(values, np.full(4, 10_000), 300), limit=np.array([55, 60, 65, 45], np.float32))
    plain = AnalogForecaster(800).forecast(batch, 96, LEVELS)
    told = AnalogForecaster(800).forecast(
        replace(batch, trust=Trust(begun(4), begun(4), np.zeros(4, bool))), 96, LEVELS
    )
    np.testing.assert_array_equal(told.quantiles, plain.quantiles)
    np.testing.assert_array_equal(told.breach_probability, plain.breach_probability)
    assert plain.raw is None
    assert told.raw is not None
    np.testing.assert_array_equal(told.raw[:, 0], scored(plain.quantiles, LEADS))


def test_breach_probabilities_move_with_the_band() -> None:
    rng = np.random.default_rng(5)
    values = np.clip(50 + 3 * rng.normal(size=(4, 800)), 0, 100).astype(np.float32)
    batch = replace(SeriesBatch.plain(values, np.full(4, 10_000), 300), limit=np.full(4, 60, np.float32))
    chances = []
    for offset in (-0.3, 0.0, 0.3):
        trust = Trust(begun(4, offset), begun(4), np.zeros(4, bool))
        chances.append(AnalogForecaster(800).forecast(replace(batch, trust=trust), 96, LEVELS).breach_probability)
    assert (chances[0] < chances[1]).all()
    assert (chances[1] < chances[2]).all()
