"""Alarms over rolling origins, beside a line and beside yesterday."""

import numpy as np
import pytest

from argus_common.metrics import Metric
from argus_forecasting.alarms import AlarmRule
from argus_forecasting.backtest import rolling_origins
from argus_forecasting.backtest.alarms import alarm_scores
from argus_forecasting.forecaster import Floats
from argus_forecasting.grid import Grid

METRIC = Metric(name="disk", lower=0, upper=100, harm=1, limit=90, target=True)
DAY = 288
FIRST = DAY + 20


def grid(*series: Floats) -> Grid:
    return Grid(tuple(f"s{i}" for i in range(len(series))), 1000, 300, np.array(series, np.float32))


def nothing(trace: Grid) -> Floats:
    count = len(rolling_origins(trace, FIRST, trace.values.shape[1] - 96, 1))
    return np.zeros((count, 4), np.float32)


def test_a_disk_that_fills_steadily_is_foretold_by_a_line_within_the_hour() -> None:
    filling = np.concatenate([np.full(FIRST + 50, 40.0), 40 + 0.5 * np.arange(300)])
    trace = grid(filling, np.full_like(filling, 20.0))
    origins = rolling_origins(trace, FIRST, trace.values.shape[1] - 96, 1)
    scores = alarm_scores(AlarmRule(), {"forecast": nothing(trace)}, origins, trace, METRIC)
    # the alarm stands as hit only once the disk has calmed, which this one never does: nothing has ended
    assert (scores["predict_linear[30m]"].hits, scores["predict_linear[30m]"].false) == (0, 0)
    emptied = filling.copy()
    emptied[FIRST + 170 :] = 20.0
    scores = alarm_scores(
        AlarmRule(), {"forecast": nothing(trace)}, origins, grid(emptied, np.full_like(filling, 20.0)), METRIC
    )
    line = scores["predict_linear[30m]"]
    assert (line.hits, line.late, line.false, line.median_lead_seconds) == (1, 0, 0, 3600)
    assert (scores["forecast"].hits, scores["forecast"].late) == (0, 1)
    assert line.false_per_series_day == 0


def test_a_peak_at_the_same_time_every_day_is_foretold_by_yesterday() -> None:
    day = np.full(DAY, 20.0)
    day[100:110] = 95.0
    trace = grid(np.tile(day, 4))
    origins = rolling_origins(trace, FIRST, trace.values.shape[1] - 96, 1)
    scores = alarm_scores(AlarmRule(), {"forecast": nothing(trace)}, origins, trace, METRIC)
    assert scores["same time yesterday"].precision == 1.0
    assert scores["same time yesterday"].recall == 1.0
    assert scores["predict_linear[30m]"].recall == 0.0


def test_the_forecasts_chances_are_taken_server_by_server() -> None:
    values = np.full((2, FIRST + 220), 20.0)
    values[1, FIRST + 30 : FIRST + 36] = 95.0
    trace = grid(*values)
    origins = rolling_origins(trace, FIRST, trace.values.shape[1] - 96, 1)
    chance = np.zeros((len(origins), 4), np.float32)
    chance[(origins.server == 1) & (origins.column == FIRST + 25)] = 1.0
    chance[(origins.server == 0) & (origins.column == FIRST + 60)] = 1.0
    scores = alarm_scores(AlarmRule(), {"forecast": chance}, origins, trace, METRIC)["forecast"]
    assert (scores.hits, scores.false, scores.late) == (1, 1, 0)
    assert scores.median_lead_seconds == 5 * 300
    watched = 2 * (origins.column.max() - FIRST + 1) / DAY
    assert scores.false_per_series_day == pytest.approx(1 / watched)
