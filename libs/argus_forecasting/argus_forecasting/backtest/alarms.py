"""How good the alarms of the service would have been over rolling origins, beside what people write by hand."""

from collections.abc import Mapping

import numpy as np

from argus_common.metrics import Metric
from argus_forecasting.alarms.episodes import AlarmScores, replay, warning_scores
from argus_forecasting.alarms.rule import AlarmRule
from argus_forecasting.backtest.warning_rules import LINE_MINUTES, YESTERDAY, predict_linear, same_time_yesterday
from argus_forecasting.backtest.warning_scores import DAY_SECONDS, Level
from argus_forecasting.batch import Origins
from argus_forecasting.forecaster import WITHIN_MINUTES, Floats, Mask
from argus_forecasting.grid import Grid


def alarm_scores(
    rule: AlarmRule, probability: Mapping[str, Floats], origins: Origins, grid: Grid, metric: Metric
) -> dict[str, AlarmScores]:
    """Scores of the alarms of each forecaster, of Prometheus' ``predict_linear``, and of yesterday's same hour.

    The rules of thumb are taken for certain promises, so that all are raised and ended by the same rule.

    Args:
        rule: the rule.
        probability: (window, within) by the forecaster's name, in the order of ``origins``.
        origins: every server at every column, as `rolling_origins` makes them.
        grid: the trace.
        metric: with its limit.
    """
    level, servers, columns = Level.of(grid, metric), np.unique(origins.server), np.unique(origins.column)
    seen = np.isfinite(grid.values[servers])
    beyond = level.hot[servers] & seen
    lines = {f"predict_linear[{m}m]": _certain(predict_linear(level, origins, m) >= level.limit) for m in LINE_MINUTES}
    promises = {**probability, **lines, YESTERDAY: _certain(same_time_yesterday(level, origins))}
    days = len(servers) * (int(columns[-1]) - int(columns[0]) + 1) * grid.step_seconds / DAY_SECONDS
    found = {}
    for name, said in promises.items():
        by_server = said.reshape(len(columns), len(servers), -1).transpose(1, 0, 2)
        episodes = replay(rule, by_server, beyond, seen, columns, grid.step_seconds)
        found[name] = warning_scores(episodes, days, grid.step_seconds)
    return found


def _certain(said: Mask) -> Floats:
    """(window, within) 1 where something is said, else 0."""
    return np.repeat(said[:, None], len(WITHIN_MINUTES), axis=1).astype(np.float32)
