"""How good the alarms over rolling origins would have been, beside what people write by hand."""

from collections.abc import Mapping

import numpy as np

from argus_common.metrics import Metric
from argus_forecasting.alarms.episodes import AlarmScores, replay, warning_scores
from argus_forecasting.alarms.rule import AlarmRule
from argus_forecasting.batch import Origins
from argus_forecasting.forecaster import WITHIN_MINUTES, Floats, Ints, Mask
from argus_forecasting.grid import Grid

LOOK_BACK_SECONDS, LOOK_AHEAD_SECONDS, DAY_SECONDS = 1800, 3600, 86_400
FORECAST = "forecast"
"""The name under which the forecasts themselves are scored."""


def alarm_scores(
    rule: AlarmRule, probability: Floats, origins: Origins, grid: Grid, metric: Metric
) -> Mapping[str, AlarmScores]:
    """Scores by rule: the alarms of these forecasts; of a line through the last half hour that reaches the limit within
    the hour (what ``predict_linear`` in Prometheus does); of the limit being crossed at that hour of yesterday.

    The latter two are taken for certain promises, so that all three are raised and ended by the same rule.

    Args:
        rule: the rule.
        probability: (window, within), in the order of ``origins``.
        origins: every server at every column, as `rolling_origins` makes them.
        grid: the trace.
        metric: with its limit.
    """
    servers, columns = np.unique(origins.server), np.unique(origins.column)
    chance = probability.reshape(len(columns), len(servers), -1).transpose(1, 0, 2)
    values, sign = grid.values[servers], metric.harm or 1
    seen = np.isfinite(values)
    filled = _filled(values, seen)
    beyond = filled * sign >= np.float32(metric.limit or 0) * sign
    back, ahead, day = (
        rule.steps(seconds, grid.step_seconds) for seconds in (LOOK_BACK_SECONDS, LOOK_AHEAD_SECONDS, DAY_SECONDS)
    )
    found = {
        FORECAST: chance,
        "linear extrapolation": _certain(_line(filled, columns, back, ahead) * sign >= (metric.limit or 0) * sign),
        "same time yesterday": _certain(_yesterday(beyond, columns, ahead, day)),
    }
    days = len(servers) * (int(columns[-1]) - int(columns[0]) + 1) * grid.step_seconds / DAY_SECONDS
    return {
        name: warning_scores(
            replay(rule, said, beyond & seen, seen, columns, grid.step_seconds), days, grid.step_seconds
        )
        for name, said in found.items()
    }


def _filled(values: Floats, seen: Mask) -> Floats:
    """The last value that was seen; before the first one, 0."""
    index = np.maximum.accumulate(np.where(seen, np.arange(values.shape[1]), 0), axis=1)
    filled: Floats = np.nan_to_num(np.take_along_axis(values, index, axis=1))
    return filled


def _line(filled: Floats, columns: Ints, back: int, ahead: int) -> Floats:
    """(series, origin) where the line from ``back`` steps ago through now is ``ahead`` steps later."""
    now, before = filled[:, columns], filled[:, np.maximum(columns - back, 0)]
    line: Floats = now + (now - before) * np.float32(ahead / back)
    return line


def _yesterday(beyond: Mask, columns: Ints, ahead: int, day: int) -> Mask:
    """(series, origin) whether the limit was crossed within ``ahead`` steps after the same time of the day before."""
    counts = np.pad(np.cumsum(beyond, axis=1), ((0, 0), (1, 0)))
    first = np.maximum(columns + 1 - day, 0)
    crossed: Mask = counts[:, np.maximum(columns + 1 - day + ahead, 0)] > counts[:, first]
    return crossed


def _certain(said: Mask) -> Floats:
    """(series, origin, within) 1 where something is said, else 0."""
    return np.repeat(said[:, :, None], len(WITHIN_MINUTES), axis=2).astype(np.float32)
