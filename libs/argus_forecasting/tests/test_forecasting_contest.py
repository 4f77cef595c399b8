"""A worse model is demoted within a stated number of steps, an equal one hardly ever, and a good one returns."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_forecasting.forecaster import Floats
from argus_forecasting.online.contest import LARGEST, THRESHOLD, Contest, judged

WEEK = 2016


def played(model: Floats, statistical: Floats, contest: Contest | None = None) -> tuple[Contest, Floats]:
    """The contest after losses (series, step), and (step, series) who was demoted when."""
    contest, demoted = contest or Contest.begun(len(model)), []
    for ours, theirs in zip(model.T, statistical.T, strict=True):
        contest = judged(contest, ours[:, None], theirs[:, None])
        demoted.append(contest.demoted)
    return contest, np.array(demoted)


def noise(series: int, steps: int, seed: int) -> Floats:
    """Losses of usual size 1, with bursts."""
    return np.random.default_rng(seed).gamma(0.7, 1 / 0.7, (series, steps)).astype(np.float32)


@pytest.mark.parametrize(("times", "usually", "nearly_always"), [(2.0, 100, 288), (4.0, 60, 216)])
def test_a_model_of_a_multiple_of_the_loss_is_demoted_in_time(times: float, usually: int, nearly_always: int) -> None:
    usual = noise(400, nearly_always, 1)
    _, demoted = played(times * usual, usual)
    assert demoted[usually - 1].mean() >= 0.5
    assert demoted[-1].mean() >= 0.95


def test_a_better_model_is_never_demoted() -> None:
    usual = noise(200, WEEK, 2)
    _, demoted = played(0.9 * usual, usual)
    assert not demoted.any()


def test_of_models_that_are_just_as_good_hardly_any_is_demoted_in_a_week() -> None:
    _, demoted = played(noise(500, WEEK, 3), noise(500, WEEK, 4))
    assert demoted.any(axis=0).mean() <= 0.02


def test_a_model_that_became_good_again_returns() -> None:
    usual = noise(100, 400, 5)
    contest, _ = played(5 * usual, usual)
    assert contest.demoted.all()
    _, demoted = played(0.5 * usual, usual, contest)
    assert not demoted[-1].any()


def test_a_demoted_model_that_is_just_as_good_comes_back_in_a_week_and_a_worse_one_stays() -> None:
    usual = noise(100, 400, 6)
    contest, _ = played(5 * usual, usual)
    assert contest.demoted.all()
    same = noise(100, WEEK, 7)
    assert played(same, same, contest)[1].all(axis=0).mean() == 0
    assert played(1.3 * same, same, contest)[1].all(axis=0).mean() == 1


def test_one_burst_decides_nothing() -> None:
    contest, _ = played(np.ones((1, 50), np.float32), np.ones((1, 50), np.float32))
    contest = judged(contest, np.full((1, 3), 1e9, np.float32), np.ones((1, 3), np.float32))
    assert not contest.demoted[0]


def test_a_step_without_both_losses_changes_nothing() -> None:
    contest = Contest(np.array([3.0], np.float32), np.array([2.0], np.float32), np.array([True]))
    nothing, one = np.full((1, 3), np.nan, np.float32), np.ones((1, 3), np.float32)
    for after in (judged(contest, nothing, one), judged(contest, one, nothing), judged(contest, 0 * one, 0 * one)):
        assert (after.evidence[0], after.usual[0], after.demoted[0]) == (3.0, 2.0, True)


loss = st.floats(0, 1e9, width=32)


@settings(max_examples=100)
@given(st.lists(st.tuples(loss, loss), max_size=60))
def test_two_turns_are_never_nearer_than_the_threshold_allows(losses: list[tuple[float, float]]) -> None:
    contest, turns = Contest.begun(1), []
    for step, (ours, theirs) in enumerate(losses):
        after = judged(contest, np.array([[ours]], np.float32), np.array([[theirs]], np.float32))
        assert np.isfinite(after.evidence).all()
        if after.demoted[0] != contest.demoted[0]:
            turns.append(step)
        contest = after
    assert all(later - earlier >= THRESHOLD / LARGEST for earlier, later in pairwise(turns))
