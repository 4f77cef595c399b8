"""The rule over a recorded trace: what it would have raised, how that would have ended, and how good that is."""

from dataclasses import dataclass

import numpy as np

from argus_forecasting.alarms.advance import Outcome, Sight, advance
from argus_forecasting.alarms.rule import AlarmRule
from argus_forecasting.alarms.state import AlarmState
from argus_forecasting.forecaster import Floats, Ints, Mask


@dataclass(frozen=True, slots=True)
class Episodes:
    """``raised``, ``narrowed``: (series, origin). ``outcome``: (series, origin) of the alarm that ended there, see
    `Outcome`. ``lead``: (series, origin) steps from raising to crossing, NaN = no hit ended there.
    """

    raised: Mask
    narrowed: Mask
    outcome: Ints
    lead: Floats


@dataclass(frozen=True, slots=True)
class AlarmScores:
    """``precision``: hits of hits and false alarms. ``recall``: hits of hits and late ones. NaN where there is none."""

    hits: int
    late: int
    false: int
    precision: float
    recall: float
    median_lead_seconds: float
    false_per_series_day: float


def replay(
    rule: AlarmRule, probability: Floats, beyond: Mask, seen: Mask, columns: Ints, step_seconds: int
) -> Episodes:
    """The rule from origin to origin.

    Args:
        rule: the rule.
        probability: (series, origin, within).
        beyond: (series, time) whether the limit is crossed.
        seen: (series, time) whether there is a value.
        columns: (origin,) rising, the column of ``beyond`` that each origin is.
        step_seconds: length of a step.
    """
    size, origins = probability.shape[:2]
    state, nobody = AlarmState.new(size, len(rule.promises)), np.zeros(size, bool)
    raised, narrowed = np.zeros((2, size, origins), bool)
    outcome = np.zeros((size, origins), np.int64)
    lead = np.full((size, origins), np.nan, np.float32)
    width, before = rule.steps(rule.calm_seconds, step_seconds), -1
    for i, column in enumerate(columns.tolist()):
        first = max(0, (column - width + 1) if before < 0 else before + 1)
        sight = Sight(
            probability[:, i], beyond[:, first : column + 1], seen[:, first : column + 1],
            np.full(size, column - before if before >= 0 else 0), nobody, step_seconds,
        )  # fmt: skip
        state, happened = advance(rule, state, sight)
        raised[:, i], narrowed[:, i] = happened.raised, happened.narrowed
        outcome[:, i], lead[:, i] = happened.outcome, happened.lead
        before = column
    return Episodes(raised, narrowed, outcome, lead)


def warning_scores(episodes: Episodes, days: float, step_seconds: int) -> AlarmScores:
    """How good the alarms were, over those that have ended. ``days``: that all series were watched, together."""
    hits, late, false = (int((episodes.outcome == kind).sum()) for kind in (Outcome.HIT, Outcome.LATE, Outcome.FALSE))
    leads = episodes.lead[~np.isnan(episodes.lead)] * step_seconds
    return AlarmScores(
        hits,
        late,
        false,
        hits / (hits + false) if hits + false else float("nan"),
        hits / (hits + late) if hits + late else float("nan"),
        float(np.median(leads)) if len(leads) else float("nan"),
        false / days,
    )
