"""One origin further: state and what is seen in, state and what happened out; every series at once."""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from argus_forecasting.alarms.rule import AlarmRule
from argus_forecasting.alarms.state import LONG, AlarmState, Phase
from argus_forecasting.forecaster import Floats, Ints, Mask


class Outcome(IntEnum):
    """How an alarm ended; NONE = it did not."""

    NONE = 0
    HIT = 1
    LATE = 2
    FALSE = 3
    MITIGATED = 4
    UNKNOWN = 5


@dataclass(frozen=True, slots=True)
class Sight:
    """What an origin shows.

    ``probability``: (series, within) of `WITHIN_MINUTES`, NaN = no limit or no forecast. ``beyond``, ``seen``: (series,
    recent) whether the value of each newest step is at or beyond the limit, and whether there is one; the last column
    is the origin. ``elapsed``: (series,) steps since the state's origin, 0 = there is none. ``acted``: (series,)
    whether someone acts on the alarm that stands, or works on the server.
    """

    probability: Floats
    beyond: Mask
    seen: Mask
    elapsed: Ints
    acted: Mask
    step_seconds: int


@dataclass(frozen=True, slots=True)
class Happened:
    """(series,) each; at most one of ``raised``, ``crossed``, ``narrowed`` and an ``outcome`` per series and origin.

    ``narrowed``: a shorter promise took the place of the one that stood.
    ``lead``: steps from raising to crossing of what ended as a hit, NaN otherwise. ``since``: age of the raising, and
    ``crossing``: age of the crossing, of the alarm that stands or has ended now; NaN = none. ``peak``: of that alarm.
    """

    raised: Mask
    crossed: Mask
    narrowed: Mask
    outcome: Ints
    lead: Floats
    since: Floats
    crossing: Floats
    peak: Floats


def advance(rule: AlarmRule, before: AlarmState, sight: Sight) -> tuple[AlarmState, Happened]:
    """The state after this origin, and what happened at it. ``before`` is left as it is."""
    state = AlarmState.from_rows(before.rows())
    first_beyond, gap = _look(state, sight)
    was = state.phase.copy()
    crossed = (was == Phase.EXPECTED) & ~np.isnan(first_beyond)
    state.phase[crossed], state.crossed[crossed] = Phase.BREACHED, first_beyond[crossed]
    narrowed = _promise(rule, state, sight)
    outcome = _outcomes(rule, state, sight, gap)
    happened = _told(state, crossed, narrowed, outcome)
    _end(state, outcome, sight.acted)
    return state, _raise(rule, state, sight, was, happened)


def fall_silent(before: AlarmState) -> tuple[AlarmState, Happened]:
    """End every alarm that stands: no more values come. What was crossed keeps its outcome."""
    state = AlarmState.from_rows(before.rows())
    breached = np.where(state.late > 0, Outcome.LATE, Outcome.HIT)
    outcome = np.where(state.phase == Phase.BREACHED, breached, Outcome.UNKNOWN)
    outcome = np.where(state.standing(), outcome, Outcome.NONE).astype(np.int64)
    nothing = np.zeros(len(outcome), bool)
    happened = _told(state, nothing, nothing, outcome)
    _end(state, outcome, nothing)
    return state, happened


def _look(state: AlarmState, sight: Sight) -> tuple[Floats, Floats]:
    """Let the steps since the state's origin pass: (age of the first of them beyond the limit, NaN = none; the longest
    time without a value that began before or with them).
    """
    fresh = sight.elapsed == 0
    passed = np.where(fresh, sight.beyond.shape[1], sight.elapsed).astype(np.float32)
    recent = min(sight.beyond.shape[1], int(passed.max(initial=1)))
    ages = np.arange(recent - 1, -1, -1)
    beyond, seen = sight.beyond[:, -recent:], sight.seen[:, -recent:]
    new = (ages < passed[:, None]) & seen
    first_seen, newest = _ages(new, ages)
    gap = np.where(np.isnan(first_seen), state.unseen + passed, state.unseen + passed - 1 - first_seen)
    state.unseen = np.where(np.isnan(newest), np.minimum(state.unseen + passed, LONG), newest).astype(np.float32)
    first_beyond, last_beyond = _ages(new & beyond, ages)
    _, last_below = _ages(new & ~beyond, ages)
    still = np.where(state.hot > 0, state.hot + passed, np.nan_to_num(first_beyond + 1))
    state.hot = np.where(np.isnan(last_below), still, _run(new & beyond, last_below, ages)).astype(np.float32)
    state.calm = np.where(np.isnan(last_beyond), np.minimum(state.calm + passed, LONG), last_beyond).astype(np.float32)
    for name in ("since", "crossed", "faded"):
        setattr(state, name, np.minimum(getattr(state, name) + passed, LONG).astype(np.float32))
    state.left = (state.left - passed).astype(np.float32)
    first_beyond = np.where(fresh, np.nan, first_beyond).astype(np.float32)
    return first_beyond, np.where(fresh, 0, gap).astype(np.float32)


def _ages(mask: Mask, ages: Ints) -> tuple[Floats, Floats]:
    """(age of the oldest, of the newest) column where ``mask`` (series, recent) holds; NaN = nowhere."""
    marked = np.where(mask, ages, np.nan)
    anywhere = mask.any(axis=1)
    oldest = np.where(anywhere, np.where(mask, marked, -1).max(axis=1), np.nan)
    newest = np.where(anywhere, np.where(mask, marked, LONG).min(axis=1), np.nan)
    return oldest.astype(np.float32), newest.astype(np.float32)


def _run(beyond: Mask, last_below: Floats, ages: Ints) -> Floats:
    """(series,) steps from the first value beyond the limit after the last one below it until now; 0 = none."""
    after = beyond & (ages < np.nan_to_num(last_below, nan=LONG)[:, None])
    first, _ = _ages(after, ages)
    return np.nan_to_num(first + 1)


def _promise(rule: AlarmRule, state: AlarmState, sight: Sight) -> Mask:
    """Count the origins at which each promise is met and renew what stands; (series,) where it became a shorter one."""
    met = np.column_stack([promise.met(sight.probability) for promise in rule.promises])
    near = np.column_stack([promise.met(sight.probability, rule.withdraw_share) for promise in rule.promises])
    state.met = np.where(met, state.met + 1, 0).astype(np.float32)
    state.faded[near.any(axis=1)] = 0
    due = _due(rule, state)
    shortest, stands = due.argmax(axis=1), (state.phase == Phase.EXPECTED) & due.any(axis=1)
    narrowed: Mask = stands & (shortest < state.promise)
    _stand(rule, state, sight, stands, shortest)
    return narrowed


def _due(rule: AlarmRule, state: AlarmState) -> Mask:
    """(series, promise) whether each was met at as many origins in a row as it wants."""
    due: Mask = state.met >= np.array([promise.persistence for promise in rule.promises])
    return due


def _stand(rule: AlarmRule, state: AlarmState, sight: Sight, which: Mask, promise: Ints) -> None:
    """Let a promise stand from this origin on, beside the one that stands."""
    spans = np.array([one.span for one in rule.promises])
    chance = np.nan_to_num(sight.probability[np.arange(len(promise)), spans[promise]])
    state.left[which] = np.maximum(state.left, rule.span_steps(sight.step_seconds)[promise])[which]
    state.promise[which] = np.minimum(state.promise, promise)[which]
    state.peak[which] = np.maximum(state.peak, chance)[which]


def _outcomes(rule: AlarmRule, state: AlarmState, sight: Sight, gap: Floats) -> Ints:
    """(series,) the outcome of each alarm that ends now."""
    calm, silent = (rule.steps(s, sight.step_seconds) for s in (rule.calm_seconds, rule.silent_seconds))
    over = (state.calm >= calm) | sight.acted | (gap >= silent)
    longest = rule.steps(rule.longest_seconds, sight.step_seconds)
    broken = (state.left <= 0) | (state.since >= longest) | (state.faded >= calm)
    breached = np.where(over, np.where(state.late > 0, Outcome.LATE, Outcome.HIT), Outcome.NONE)
    expected = np.select(
        [sight.acted, gap >= silent, broken], [Outcome.MITIGATED, Outcome.UNKNOWN, Outcome.FALSE], Outcome.NONE
    )
    chosen = np.select([state.phase == Phase.BREACHED, state.phase == Phase.EXPECTED], [breached, expected], 0)
    return chosen.astype(np.int64)


def _told(state: AlarmState, crossed: Mask, narrowed: Mask, outcome: Ints) -> Happened:
    goes_on = outcome == Outcome.NONE
    lead = np.where(outcome == Outcome.HIT, state.since - state.crossed, np.nan).astype(np.float32)
    since = np.where(state.standing(), state.since, np.nan).astype(np.float32)
    crossing = np.where(state.phase == Phase.BREACHED, state.crossed, np.nan).astype(np.float32)
    return Happened(
        np.zeros(len(lead), bool), crossed & goes_on, narrowed & goes_on, outcome, lead, since, crossing,
        state.peak.copy(),
    )  # fmt: skip


def _end(state: AlarmState, outcome: Ints, acted: Mask) -> None:
    """Forget the alarms that ended."""
    ended = outcome != Outcome.NONE
    state.held[ended & acted] = 1
    state.phase[ended], state.crossed[ended], state.late[ended] = Phase.NONE, np.nan, 0


def _raise(rule: AlarmRule, state: AlarmState, sight: Sight, was: Floats, happened: Happened) -> Happened:
    """Raise what is due on series where no alarm stood before this origin."""
    calm, lasting, quiet = (
        rule.steps(seconds, sight.step_seconds)
        for seconds in (rule.calm_seconds, rule.lasting_seconds, rule.quiet_seconds)
    )
    held = (state.held > 0) & ((state.faded == 0) | (state.calm < calm))
    state.held = held.astype(np.float32)
    free = (was == Phase.NONE) & ~sight.acted & ~held & (state.unseen == 0) & (state.since >= quiet)
    due = _due(rule, state)
    expected = free & due.any(axis=1) & (state.calm >= calm)
    late = free & (state.hot >= lasting)
    raised = expected | late
    state.phase[expected], state.phase[late] = Phase.EXPECTED, Phase.BREACHED
    state.since[raised], state.faded[raised], state.peak[raised] = 0, 0, 0
    state.left[raised], state.promise[raised] = 0, len(rule.promises) - 1
    state.late[late], state.crossed[late] = 1, (state.hot - 1)[late]
    _stand(rule, state, sight, expected, due.argmax(axis=1))
    since = np.where(raised, 0, happened.since).astype(np.float32)
    crossing = np.where(late, state.crossed, happened.crossing).astype(np.float32)
    peak = np.where(raised, state.peak, happened.peak).astype(np.float32)
    return replace(happened, raised=raised, since=since, crossing=crossing, peak=peak)
