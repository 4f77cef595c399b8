"""Earlier forecasts against what came: PIT, residual, pinball loss, live coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_inference.domain.scoring import Doubles, RunningMean, RunningScores, Scores, kept, score

LEVELS = (0.1, 0.5, 0.9)
MISSING = float("nan")


def scored(quantiles: list[float], value: float, yesterday: float = MISSING) -> Scores:
    """One server, one target, one lead."""
    made = np.array(quantiles, np.float32).reshape(1, 1, 1, -1)
    return score(made, LEVELS, np.array([[value]], np.float32), np.array([[yesterday]], np.float32))


@pytest.mark.parametrize(
    ("quantiles", "value", "pit"),
    [
        ([10, 20, 30], 20, 0.5),
        ([10, 20, 30], 10, 0.1),
        ([10, 20, 30], 25, 0.7),
        ([10, 20, 30], 12.5, 0.2),
        ([10, 20, 30], 9, 0.1 * 5 ** (-1 / 10)),
        ([10, 20, 30], 31, 1 - 0.1 * 5 ** (-1 / 10)),
        ([10, 20, 30], 40, 0.98),
        ([10, 30, 30], 50, 1 - 0.1 / 9),
        ([10, 20, 30], 1e9, 1.0),
        ([20, 20, 20], 20, 0.5),
        ([20, 20, 30], 20, 0.3),
        ([10, 30, 30], 30, 0.7),
        ([20, 20, 20], 21, 1.0),
    ],
)
def test_the_pit_is_where_the_value_fell_in_the_forecast(quantiles: list[float], value: float, pit: float) -> None:
    assert scored(quantiles, value).pit[0, 0, 0] == pytest.approx(pit, abs=1e-6)


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=3, unique=True).map(sorted), st.integers(1, 10**6))
def test_the_size_of_a_surprise_is_kept_inside_the_open_interval(quantiles: list[float], beyond: int) -> None:
    above = scored(quantiles, quantiles[-1] + beyond).pit[0, 0, 0]
    below = scored(quantiles, quantiles[0] - beyond).pit[0, 0, 0]
    assert 0.9 < above < 1
    assert 0 < below < 0.1


@pytest.mark.parametrize("value", [19, 21])
def test_a_forecast_without_spread_has_no_tail(value: float) -> None:
    assert scored([20, 20, 20], value).pit[0, 0, 0] == (value > 20)


def test_residual_and_pinball_loss_are_in_the_unit_of_the_target() -> None:
    scores = scored([10, 20, 30], 25)
    assert scores.residual[0, 0, 0] == 5.0
    assert scores.pinball[0, 0, 0] == pytest.approx((0.1 * 15 + 0.5 * 5 + 0.1 * 5) / 3)


@pytest.mark.parametrize(("value", "inside"), [(10, 1), (30, 1), (9.9, 0), (30.1, 0)])
def test_the_ends_of_the_band_belong_to_it(value: float, inside: float) -> None:
    assert scored([10, 20, 30], value).inside[0, 0, 0] == inside


def test_without_a_value_or_a_forecast_there_is_no_score() -> None:
    for scores in (scored([10, 20, 30], MISSING), scored([MISSING] * 3, 20)):
        assert np.isnan([scores.pit, scores.residual, scores.pinball, scores.inside]).all()


def test_the_naive_forecast_is_charged_half_its_distance() -> None:
    assert scored([10, 20, 30], 25, yesterday=21).naive[0, 0] == pytest.approx(2.0)
    assert np.isnan(scored([10, 20, 30], 25).naive[0, 0])


rising = st.lists(st.integers(-50, 50), min_size=3, max_size=3).map(sorted)
whole = st.integers(-60, 60)


@given(rising, whole, whole)
def test_a_higher_value_never_has_a_lower_pit(quantiles: list[float], one: float, other: float) -> None:
    low, high = sorted((one, other))
    below, above = (scored(quantiles, value).pit[0, 0, 0] for value in (low, high))
    assert 0 <= below <= above + 1e-6 <= 1 + 1e-6


@given(rising, whole)
def test_the_pinball_loss_is_not_negative_and_zero_only_at_certainty(quantiles: list[float], value: float) -> None:
    loss = scored(quantiles, value).pinball[0, 0, 0]
    assert loss >= 0
    assert (loss == 0) == (set(quantiles) == {value})


def test_leads_1_12_and_96_are_kept_of_what_was_seen() -> None:
    quantiles = np.arange(2 * 1 * 96 * 3, dtype=np.float32).reshape(2, 1, 96, 3)
    rows = kept(quantiles, np.array([[True], [False]]))
    assert rows[0, 0].tolist() == [[0, 1, 2], [33, 34, 35], [285, 286, 287]]
    assert np.isnan(rows[1]).all()


def test_a_lead_beyond_the_horizon_is_kept_as_nothing() -> None:
    rows = kept(np.zeros((1, 1, 12, 3), np.float32), np.array([[True]]))
    assert np.isnan(rows[0, 0, :, 0]).tolist() == [False, False, True]


def column(*values: float) -> Doubles:
    return np.array(values)[:, None]


def test_a_step_fades_by_the_share_that_is_kept() -> None:
    running = RunningMean(keep=0.5)
    running.add(column(1, 1), step=10)
    running.add(column(0, 0), step=11)
    assert running.mean().tolist() == pytest.approx([1 / 3])
    running.add(column(MISSING), step=12)
    assert running.mean().tolist() == pytest.approx([1 / 3])


def test_a_mean_of_nothing_is_nothing() -> None:
    assert np.isnan(RunningMean().mean())
    running = RunningMean()
    running.add(column(MISSING), step=1)
    assert np.isnan(running.mean()).all()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=12), st.randoms())
def test_the_groups_and_the_order_within_a_step_do_not_matter(scores: list[tuple[int, int]], chance: object) -> None:
    together, apart = RunningMean(), RunningMean()
    steps = sorted({step for step, _ in scores})
    for step in steps:
        values = [value for s, value in scores if s == step]
        together.add(column(*values), step)
        chance.shuffle(values)  # type: ignore[attr-defined]
        for value in values:
            apart.add(column(value), step)
    assert apart.mean() == pytest.approx(together.mean())


def test_live_scores_are_told_per_target_and_lead() -> None:
    running = RunningScores()
    running.add(scored([10, 20, 30], 25, yesterday=21), step=1)
    running.add(scored([10, 20, 30], 35, yesterday=35), step=1)
    assert running.coverage.mean().tolist() == [[0.5]]
    assert running.naive.mean().tolist() == [1.0]
