"""The measures: what means "nothing changed", what the extremes are, and what is missing."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from argus_drift.domain.measures import (
    anomaly_rate,
    coverage,
    distribution_shift,
    feature_drift,
    pit_distance,
    prediction_error_rate,
)

Floats = npt.NDArray[np.float32]
SAMPLES = arrays(np.float32, (2, 40), elements=st.floats(-1000, 1000, width=32))


def f32(*values: float) -> Floats:
    return np.array(values, np.float32)


def test_an_error_rate_of_one_is_an_error_as_in_the_reference() -> None:
    assert prediction_error_rate(f32(2, 4), f32(3, 3, 3)) == 1
    assert prediction_error_rate(f32(6, 6), f32(3, 3, 3)) == 2


def test_the_error_rate_of_a_model_that_was_perfect_is_not_known() -> None:
    assert np.isnan(prediction_error_rate(f32(1), f32(0, 0)))


@settings(max_examples=50, deadline=None)
@given(values=SAMPLES)
def test_the_same_values_have_not_shifted(values: Floats) -> None:
    assert distribution_shift(values, values[:, ::-1]).tolist() == [0, 0]


@settings(max_examples=50, deadline=None)
@given(values=SAMPLES, reference=SAMPLES)
def test_a_shift_lies_between_nothing_and_a_little_over_a_half_and_knows_no_unit(
    values: Floats, reference: Floats
) -> None:
    found = distribution_shift(values, reference)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(distribution_shift(values * 4, reference * 4), found, atol=1e-6)


def test_a_shift_beyond_the_reference_is_a_half_in_either_direction() -> None:
    reference = np.arange(1000, dtype=np.float32)
    assert distribution_shift(reference + 5000, reference) == pytest.approx(0.5, abs=0.01)
    assert distribution_shift(reference - 5000, reference) == pytest.approx(0.5, abs=0.01)


def test_a_mean_moves_in_deviations_and_a_spread_in_logarithms() -> None:
    reference = np.random.default_rng(0).normal(50, 4, 10_000).astype(np.float32)
    shift, spread = feature_drift(62 + 2 * (reference - 50), reference)
    assert shift == pytest.approx(3, abs=0.05)
    assert spread == pytest.approx(np.log(2), abs=0.01)


def test_of_a_constant_reference_no_drift_is_told() -> None:
    shift, spread = feature_drift(f32(1, 2), f32(5, 5))
    assert np.isnan(shift)
    assert np.isnan(spread)


def test_calibrated_forecasts_cover_four_fifths_and_surprise_twice_in_a_hundred() -> None:
    pit = ((np.arange(1000) + 0.5) / 1000).astype(np.float32)
    assert coverage(pit) == pytest.approx(0.8)
    assert anomaly_rate(pit) == pytest.approx(0.02)
    assert pit_distance(pit) == pytest.approx(0.0005, abs=1e-4)


def test_forecasts_that_are_always_too_low_are_far_from_uniform() -> None:
    pit = f32(0.995, 1, 1, 0.999)
    assert coverage(pit) == 0
    assert anomaly_rate(pit) == 1
    assert pit_distance(pit) > 0.99


def test_what_is_missing_does_not_count() -> None:
    gaps = f32(0.25, np.nan, 0.75)
    assert coverage(gaps) == 1
    assert pit_distance(gaps) == 0.25
    assert prediction_error_rate(f32(np.nan, 6), f32(3, np.nan)) == 2
    assert distribution_shift(f32(1, np.nan, 2), f32(2, 1, np.nan)) == 0


def test_of_nothing_nothing_is_known() -> None:
    nothing = f32(np.nan, np.nan)
    for measure in (coverage, anomaly_rate, pit_distance):
        assert np.isnan(measure(nothing))
    assert np.isnan(prediction_error_rate(nothing, nothing))
    assert np.isnan(distribution_shift(nothing, f32(1, 2)))
