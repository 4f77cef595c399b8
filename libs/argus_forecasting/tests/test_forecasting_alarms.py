"""When alarms are raised, how they end, and the laws that hold for every sequence of probabilities."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_forecasting.alarms import AlarmRule, AlarmState, Outcome, Phase, Promise, Sight, advance, fall_silent
from argus_forecasting.alarms.episodes import Episodes, replay, warning_scores

STEP_SECONDS = 300
HOUR = 12
RULE = AlarmRule()
CALM, SOON, AHEAD = (0.0, 0.0, 0.0, 0.0), (0.2, 0.5, 0.6, 0.7), (0.0, 0.0, 0.3, 0.95)

Chances = list[tuple[float, float, float, float]]


def run(chances: Chances, beyond: list[bool] | None = None, seen: list[bool] | None = None) -> Episodes:
    """One series, an origin at each step; a calm hour lies before it."""
    flags = [False] * HOUR + (beyond or [False] * len(chances))
    known = [True] * HOUR + (seen or [True] * len(chances))
    columns = np.arange(HOUR, HOUR + len(chances))
    return replay(
        RULE,
        np.array([chances], np.float32),
        np.array([flags]),
        np.array([known]),
        columns,
        STEP_SECONDS,
    )


def raised(episodes: Episodes) -> list[int]:
    return np.flatnonzero(episodes.raised[0]).tolist()


def ended(episodes: Episodes) -> list[tuple[int, Outcome]]:
    return [(i, Outcome(int(episodes.outcome[0, i]))) for i in np.flatnonzero(episodes.outcome[0]).tolist()]


def test_a_breach_that_is_likely_within_the_hour_is_raised_at_once() -> None:
    assert raised(run([CALM, CALM, SOON, CALM])) == [2]


def test_a_breach_that_is_likely_within_eight_hours_must_persist_over_three_origins() -> None:
    assert raised(run([AHEAD, AHEAD, CALM, AHEAD, AHEAD, AHEAD, CALM])) == [5]


def test_an_hour_that_is_likely_with_an_impossible_quarter_is_not_raised() -> None:
    assert raised(run([(0.05, 0.5, 0.55, 0.55)] * 20)) == []


def test_a_crossing_after_the_raising_is_a_hit_with_its_lead_once_the_server_has_calmed() -> None:
    crossing = [False] * 5 + [True] * 2 + [False] * 20
    episodes = run([SOON] + [CALM] * 26, crossing)
    assert raised(episodes) == [0]
    assert ended(episodes) == [(6 + HOUR, Outcome.HIT)]
    assert episodes.lead[0, 6 + HOUR] == 5


def test_a_limit_that_stays_crossed_without_an_alarm_raises_one_as_late() -> None:
    crossing = [False] * 2 + [True] * 4 + [False] * 20
    episodes = run([CALM] * 26, crossing)
    assert raised(episodes) == [4]
    assert ended(episodes) == [(5 + HOUR, Outcome.LATE)]
    assert np.isnan(episodes.lead).all()


def test_a_crossing_of_ten_minutes_without_an_alarm_raises_none() -> None:
    assert raised(run([CALM] * 20, [False] * 5 + [True] * 2 + [False] * 13)) == []


def test_a_promise_that_passes_without_a_crossing_is_false() -> None:
    assert ended(run([SOON] + [CALM] * 20)) == [(HOUR, Outcome.FALSE)]


def test_a_promise_for_eight_hours_is_withdrawn_when_it_has_faded_for_an_hour() -> None:
    episodes = run([AHEAD] * 3 + [CALM] * 30)
    assert (raised(episodes), ended(episodes)) == ([2], [(2 + HOUR, Outcome.FALSE)])


def test_a_promise_that_is_renewed_stands_for_eight_hours_at_most() -> None:
    episodes = run([SOON] * 100)
    assert raised(episodes) == [0, 97]
    assert ended(episodes) == [(96, Outcome.FALSE)]


def test_a_shorter_promise_takes_the_place_of_a_longer_one_once() -> None:
    episodes = run([AHEAD] * 3 + [SOON, AHEAD, SOON, CALM])
    assert np.flatnonzero(episodes.narrowed[0]).tolist() == [3]


def test_nothing_is_raised_while_the_limit_was_crossed_within_the_last_hour() -> None:
    episodes = run([SOON] * 20, [True] + [False] * 19)
    assert raised(episodes) == [HOUR]


def test_without_values_for_an_hour_the_outcome_is_unknown() -> None:
    chances = [SOON] * 30
    episodes = run(chances, seen=[True] + [False] * 29)
    assert ended(episodes) == [(HOUR, Outcome.UNKNOWN)]
    assert raised(episodes) == [0]


def sight(
    chance: tuple[float, float, float, float],
    beyond: list[bool],
    elapsed: int,
    *,
    seen: bool = True,
    acted: bool = False,
) -> Sight:
    known = np.full((1, len(beyond)), seen)
    return Sight(
        np.array([chance], np.float32), np.array([beyond]), known, np.array([elapsed]), np.array([acted]), STEP_SECONDS
    )


def standing() -> AlarmState:
    """An alarm that was raised at the last origin."""
    state, happened = advance(RULE, AlarmState.new(1, 2), sight(SOON, [False] * HOUR, 0))
    assert happened.raised.all()
    return state


def test_a_crossing_between_two_origins_is_seen() -> None:
    state, happened = advance(RULE, standing(), sight(CALM, [False, True, False, False], 4))
    assert happened.crossed.tolist() == [True]
    assert (state.phase[0], state.crossed[0], happened.crossing[0], happened.since[0]) == (Phase.BREACHED, 2, 2, 4)


def test_after_a_long_pause_with_all_values_in_between_the_outcome_is_known() -> None:
    passed = [False] * 10 + [True] * 2 + [False] * 18
    _, happened = advance(RULE, standing(), sight(CALM, passed, 30))
    assert (happened.outcome.tolist(), happened.lead.tolist()) == ([Outcome.HIT], [11])


def test_a_pause_that_is_longer_than_what_is_known_of_it_is_unknown() -> None:
    _, happened = advance(RULE, standing(), sight(SOON, [False] * 20, 40))
    assert happened.outcome.tolist() == [Outcome.UNKNOWN]


def test_when_someone_acts_the_alarm_is_mitigated_and_not_raised_again_before_it_has_calmed() -> None:
    state, happened = advance(RULE, standing(), sight(SOON, [False], 1, acted=True))
    assert happened.outcome.tolist() == [Outcome.MITIGATED]
    for _ in range(30):
        state, happened = advance(RULE, state, sight(SOON, [False], 1))
        assert not happened.raised.any()
    state, _ = advance(RULE, state, sight(CALM, [False], 1))
    _, happened = advance(RULE, state, sight(SOON, [False], 1))
    assert happened.raised.all()


def test_acting_after_the_crossing_does_not_change_what_it_was() -> None:
    state, _ = advance(RULE, standing(), sight(SOON, [True], 1))
    _, happened = advance(RULE, state, sight(SOON, [True], 1, acted=True))
    assert happened.outcome.tolist() == [Outcome.HIT]


@pytest.mark.parametrize(("crosses", "outcome"), [(False, Outcome.UNKNOWN), (True, Outcome.HIT)])
def test_a_series_that_falls_silent_ends_what_stands(crosses: bool, outcome: Outcome) -> None:
    state, _ = advance(RULE, standing(), sight(SOON, [crosses], 1))
    state, happened = fall_silent(state)
    assert (happened.outcome.tolist(), state.phase.tolist()) == ([outcome], [Phase.NONE])
    _, again = fall_silent(state)
    assert again.outcome.tolist() == [Outcome.NONE]


def test_rows_hold_the_whole_state() -> None:
    state = standing()
    assert AlarmState.from_rows(state.rows()).rows().tobytes() == state.rows().tobytes()
    assert state.rows().shape == (1, AlarmState.width(2))


def test_the_scores_count_hits_late_ones_and_false_alarms() -> None:
    outcome = np.array([[Outcome.HIT, Outcome.NONE, Outcome.FALSE, Outcome.LATE, Outcome.HIT, Outcome.UNKNOWN]])
    lead = np.array([[2, np.nan, np.nan, np.nan, 4, np.nan]], np.float32)
    nothing = np.zeros((1, 6), bool)
    scores = warning_scores(Episodes(nothing, nothing, outcome, lead), days=0.5, step_seconds=STEP_SECONDS)
    assert (scores.hits, scores.late, scores.false) == (2, 1, 1)
    assert scores.precision == pytest.approx(2 / 3)
    assert scores.recall == pytest.approx(2 / 3)
    assert (scores.median_lead_seconds, scores.false_per_series_day) == (900, 2)


@pytest.mark.parametrize("promises", [(), (Promise(3, (0, 0, 0, 0.9)), Promise(1, (0, 0.2, 0, 0)))])
def test_promises_come_with_rising_spans(promises: tuple[Promise, ...]) -> None:
    with pytest.raises(ValueError, match="rising spans"):
        AlarmRule(promises=promises)


ORIGINS = st.tuples(
    st.sampled_from([CALM, SOON, AHEAD, (0.07, 0.25, 0.9, 0.95), (0.05, 0.13, 0.4, 0.5)]),
    st.booleans(),
    st.sampled_from([True, True, True, False]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ORIGINS, min_size=1, max_size=150))
def test_no_sequence_raises_twice_within_the_quiet_time_and_every_raising_has_one_end(
    origins: list[tuple[tuple[float, float, float, float], bool, bool]],
) -> None:
    episodes = run([c for c, _, _ in origins], [b for _, b, _ in origins], [s for _, _, s in origins])
    begun, over = raised(episodes), [i for i, _ in ended(episodes)]
    assert all(later - sooner >= HOUR for sooner, later in pairwise(begun))
    assert len(begun) - len(over) in (0, 1)
    assert all(b < e for b, e in zip(begun, over, strict=False))
    assert all(e <= b for e, b in zip(over, begun[1:], strict=False))
    assert (np.isfinite(episodes.lead) == (episodes.outcome == Outcome.HIT)).all()
    assert (episodes.lead[np.isfinite(episodes.lead)] >= 1).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(ORIGINS, min_size=2, max_size=60), st.integers(1, 59))
def test_series_do_not_touch_each_other_and_state_may_be_put_away_between_any_two_origins(
    origins: list[tuple[tuple[float, float, float, float], bool, bool]], other: int
) -> None:
    alone, beside = AlarmState.new(1, 2), AlarmState.new(2, 2)
    shifted = [*origins[other % len(origins) :], *origins[: other % len(origins)]]
    for i, (mine, theirs) in enumerate(zip(origins, shifted, strict=True)):
        elapsed = min(i, 1)
        first = sight(mine[0], [mine[1]], elapsed, seen=mine[2])
        both = Sight(
            np.array([mine[0], theirs[0]], np.float32),
            np.array([[mine[1]], [theirs[1]]]),
            np.array([[mine[2]], [theirs[2]]]),
            np.array([elapsed, elapsed]),
            np.zeros(2, bool),
            STEP_SECONDS,
        )
        alone, happened = advance(RULE, AlarmState.from_rows(alone.rows()), first)
        beside, told = advance(RULE, beside, both)
        assert (happened.raised[0], happened.outcome[0]) == (told.raised[0], told.outcome[0])
        assert alone.rows()[0].tobytes() == beside.rows()[0].tobytes()
