"""Who says that a limit will be passed within the hour: our probabilities, a straight line, yesterday."""

from collections.abc import Callable, Mapping

import numpy as np

from argus_common.metrics import Metric
from argus_forecasting.backtest.warning_scores import AHEAD_MINUTES, Level, Mask, WarningScores, score_alarms
from argus_forecasting.backtest.windows import day_steps, seen_by
from argus_forecasting.batch import Origins, Request, forecasts
from argus_forecasting.forecaster import WITHIN_MINUTES, Floats, Forecaster
from argus_forecasting.grid import Grid

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LINE_MINUTES = (15, 30, 60)
"""Ranges that ``predict_linear`` is tried with."""
YESTERDAY = "same time yesterday"
WARN_EVERY_MINUTES = 15
"""How often a rule is asked, or at every origin where those are nearer."""


def probabilities(
    forecaster: Forecaster,
    grid: Grid,
    at: Origins,
    metric: Metric,
    request: Request,
    report: Callable[[int], None],
) -> Floats:
    """(origin, within) that the limit is crossed; ``report`` is called with the number of origins done."""
    parts = [np.empty((0, len(WITHIN_MINUTES)), np.float32)]
    for some, result in forecasts(forecaster, seen_by(forecaster, grid), at, metric, request):
        parts.append(result.breach_probability)
        report(len(some))
    return np.concatenate(parts)


def predict_linear(level: Level, at: Origins, range_minutes: int) -> Floats:
    """(origin,) the value within an hour of a least-squares line through the last ``range_minutes``.

    The rule of Prometheus' ``predict_linear(metric[30m], 3600)``: a simple linear regression over the samples of the
    range, read at the present time plus an hour.
    """
    count = max(level.steps(range_minutes), 2)
    columns = np.maximum(at.column[:, None] + np.arange(1 - count, 1), 0)
    values = level.values[at.server[:, None], columns].astype(np.float64)
    x = np.arange(1 - count, 1, dtype=np.float64)
    x -= x.mean()
    slope = (values - values.mean(axis=1, keepdims=True)) @ x / (x @ x)
    line: Floats = values.mean(axis=1) + slope * (level.steps(AHEAD_MINUTES) - (1 - count) / 2)
    return line


def same_time_yesterday(level: Level, at: Origins) -> Mask:
    """(origin,) whether the limit was passed in the same hour of the day before."""
    ahead, day = level.steps(AHEAD_MINUTES), day_steps(level.step_seconds)
    columns = at.column[:, None] + np.arange(1 - day, ahead + 1 - day)
    passed: Mask = (level.hot[at.server[:, None], np.maximum(columns, 0)] & (columns >= 0)).any(axis=1)
    return passed


def score_rules(level: Level, at: Origins, probability: Mapping[str, Floats]) -> dict[str, WarningScores]:
    """Scores of every rule: each forecaster's probabilities at `THRESHOLDS`, lines, and yesterday.

    Args:
        level: what came.
        at: the origins, those of a server in time order.
        probability: (origin, within) by the forecaster's name.
    """
    hour = WITHIN_MINUTES.index(AHEAD_MINUTES)
    rules = {f"predict_linear[{m}m]": predict_linear(level, at, m) >= level.limit for m in LINE_MINUTES}
    rules[YESTERDAY] = same_time_yesterday(level, at)
    for name, p in probability.items():
        rules |= {f"{name} p ≥ {threshold:.1f}": p[:, hour] >= threshold for threshold in THRESHOLDS}
    return {name: score_alarms(on, at, level) for name, on in rules.items()}
