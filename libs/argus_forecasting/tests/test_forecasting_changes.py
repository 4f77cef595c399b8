"""Any change of the week may follow, whatever the analogs say."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_forecasting.forecaster import Floats, SeriesBatch
from argus_forecasting.statistical import AnalogForecaster
from argus_forecasting.statistical.changes import CHANGES, Changes
from argus_forecasting.statistical.history import History

DAY, HORIZON = 288, 48


def changes(values: Floats, first: int = 1, last: int = HORIZON) -> Floats:
    """The paths of one history."""
    found: Floats = Changes.of(History.of(values[None])).paths(first, last)[0]
    return found


def triangle(steps: int, period: int) -> Floats:
    """Rises and falls between 0 and 100."""
    phase = np.arange(steps) % period / period
    return (200 * np.minimum(phase, 1 - phase)).astype(np.float32)


def test_a_machine_may_start_a_job_at_an_hour_at_which_it_never_did() -> None:
    days = np.zeros((1, 7 * DAY), np.float32)
    for day in range(7):
        days[0, day * DAY + 120 : day * DAY + 180] = 90  # by day; the night that follows was always idle
    found = AnalogForecaster().forecast(SeriesBatch.plain(days, np.array([7 * DAY]), 300), HORIZON, (0.5, 0.98))
    assert (found.quantiles[0, :, 0] == 0).all()
    assert found.quantiles[0, -1, 1] > 0


def test_rising_and_falling_changes_come_in_their_proportion() -> None:
    values = triangle(8 * DAY + 24, 96)  # ends half-way up
    ahead = changes(values, first=12, last=24).mean(axis=1)
    assert (ahead > values[-1]).sum() == CHANGES // 2
    assert (ahead < values[-1]).sum() == CHANGES // 2


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(0, 40))
def test_changes_begin_at_the_present_and_stay_within_what_was_seen(seed: int, first: int, more: int) -> None:
    values = np.random.default_rng(seed).normal(50, 10, 400).cumsum().astype(np.float32)
    paths = changes(values, first, first + more)
    assert paths.shape == (CHANGES, more + 1)
    assert (paths >= values.min()).all()
    assert (paths <= values.max()).all()


def test_moments_before_the_first_value_are_not_taken_for_rest() -> None:
    rng = np.random.default_rng(3)
    values = np.full(7 * DAY, np.nan, np.float32)
    values[-DAY:] = rng.normal(50, 10, DAY)
    assert np.ptp(changes(values), axis=1).min() > 10


def test_nothing_before_the_history_and_nothing_after_it_is_looked_at() -> None:
    values = np.arange(60, dtype=np.float32)
    assert (changes(values, 1, 59) == 59).all()  # one moment has a future of 59 steps, and its changes end at the top
