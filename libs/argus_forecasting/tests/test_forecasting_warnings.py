"""Warnings of breaches: which count, which are true, which are false, and how early they came."""

import numpy as np
import pytest

from argus_common.metrics import DEFAULT_CATALOGUE, Metric
from argus_forecasting.backtest.warning_rules import (
    YESTERDAY,
    predict_linear,
    probabilities,
    same_time_yesterday,
    score_rules,
)
from argus_forecasting.backtest.warning_scores import Level, breaches, score_alarms
from argus_forecasting.backtest.windows import rolling_origins
from argus_forecasting.batch import Origins, Request
from argus_forecasting.grid import Grid
from argus_forecasting.statistical import AnalogForecaster

CPU = DEFAULT_CATALOGUE.get("cpu_used_pct")
DAY = 288


def level(*rows: list[tuple[int, int]], length: int = 2 * DAY) -> Level:
    """CPU of 20 % but for the spans [begin, end) of each server, in which it is 95 %."""
    values = np.full((len(rows), length), 20, np.float32)
    for server, spans in enumerate(rows):
        for begin, end in spans:
            values[server, begin:end] = 95
    return Level.of(Grid(tuple(f"s{i}" for i in range(len(rows))), 0, 300, values), CPU)


def at(*columns: int, server: int = 0) -> Origins:
    return Origins(np.full(len(columns), server), np.array(columns))


def test_a_breach_lasts_for_fifteen_minutes_after_a_calm_hour() -> None:
    found = level([(50, 53), (80, 82), (100, 110), (115, 130), (141, 150), (160, 170)])
    assert breaches(found, 0, 0, DAY).tolist() == [50, 100]
    assert breaches(found, 0, 50, DAY).tolist() == [100]


def test_a_breach_before_a_calm_hour_was_seen_is_unknown() -> None:
    assert breaches(level([(5, 20), (40, 50)]), 0, 0, DAY).tolist() == [40]


def test_alarms_are_true_false_or_neither() -> None:
    # true: 45 and, its cool-down over, 94; false: 200; neither: 150, as one step beyond the limit is no breach
    scores = score_alarms(
        np.array([False, True, True, False, True, True, True, True]),
        at(30, 45, 48, 52, 57, 94, 150, 200),
        level([(50, 60), (100, 110), (155, 156)]),
    )
    assert scores.precision == 2 / 3
    assert scores.events == 2
    assert scores.recall == 1
    assert scores.median_lead_minutes == (5 * 5 + 6 * 5) / 2
    assert scores.false_per_server_day == pytest.approx(1 / (170 / DAY))


def test_only_the_first_alarm_of_a_breach_tells_its_lead() -> None:
    scores = score_alarms(np.array([True, True]), at(38, 49), level([(50, 60)]))
    assert scores.recall == 1
    assert scores.precision == 1
    assert scores.median_lead_minutes == 60


def test_without_alarms_nothing_is_announced() -> None:
    scores = score_alarms(np.zeros(2, bool), at(0, 100), level([(50, 60)]))
    assert (scores.recall, scores.precision, scores.median_lead_minutes) == (0, 0, None)


def test_a_line_is_read_an_hour_ahead() -> None:
    values = np.arange(40, dtype=np.float32)[None] * 2
    found = Level.of(Grid(("a",), 0, 300, values), CPU)
    assert predict_linear(found, at(20), 30).tolist() == pytest.approx([40 + 24])
    still = Level.of(Grid(("a",), 0, 300, np.full((1, 40), 7, np.float32)), CPU)
    assert predict_linear(still, at(20), 60).tolist() == [7]


def test_yesterday_warns_of_the_same_hour() -> None:
    found = level([(100, 103)])
    assert same_time_yesterday(found, at(DAY + 87, DAY + 88, DAY + 101, DAY + 102)).tolist() == [
        False,
        True,
        True,
        False,
    ]
    assert not same_time_yesterday(found, at(3)).any()


def test_low_values_hurt_where_the_catalogue_says_so() -> None:
    free = Metric(name="free", harm=-1, limit=10)
    values = np.full((2, 200), 50, np.float32)
    values[0, 100:110] = 5
    values[1, :50] = np.nan
    found = Level.of(Grid(("a", "b"), 0, 300, values), free)
    assert breaches(found, 0, 0, 150).tolist() == [100]
    assert not found.hot[1].any()


def test_every_rule_is_scored_over_the_same_breaches() -> None:
    rng = np.random.default_rng(3)
    values = np.clip(60 + 35 * np.sin(np.arange(1500) / 30) + rng.normal(0, 2, (2, 1500)), 0, 100).astype(np.float32)
    grid = Grid(("a", "b"), 0, 300, values)
    origins = rolling_origins(grid, 1000, 1400, 3)
    done: list[int] = []
    p = probabilities(AnalogForecaster(), grid, origins, CPU, Request(96, (0.5,), {}), done.append)
    assert sum(done) == len(p) == len(origins)
    scores = score_rules(Level.of(grid, CPU), origins, {"statistical": p})
    assert len({s.events for s in scores.values()}) == 1
    assert {"predict_linear[30m]", YESTERDAY, "statistical p ≥ 0.5"} <= set(scores)
    assert scores["statistical p ≥ 0.3"].recall > 0.8
