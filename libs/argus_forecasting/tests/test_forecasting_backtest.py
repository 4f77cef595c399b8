"""Grids, batch forecasts and the rolling backtest."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE, Metric
from argus_forecasting.backtest import Scores, Windows, evaluate, join, rolling_origins, run
from argus_forecasting.backtest.evaluate import SEASONAL, STATISTICAL
from argus_forecasting.batch import Origins, Request, described, forecasts
from argus_forecasting.forecaster import ForecastBatch, Forecaster, SeriesBatch
from argus_forecasting.grid import Grid, infer_step
from argus_forecasting.scores import brier_skill, reliability, seasonal_error, wql
from argus_forecasting.statistical import AnalogForecaster
from argus_forecasting.trace_store import TraceStore

LEVELS = (0.1, 0.5, 0.9)
CPU = DEFAULT_CATALOGUE.get("cpu_used_pct")
REQUEST = Request(12, LEVELS, {})


def rhythm(servers: int = 4, steps: int = 1500, noise: float = 3.0, seed: int = 1) -> Grid:
    """A grid of CPU with a daily rhythm."""
    rng = np.random.default_rng(seed)
    waves = 60 + 25 * np.sin(np.arange(steps) / 288 * 2 * np.pi + rng.uniform(0, 6, (servers, 1)))
    values = np.clip(waves + rng.normal(0, noise, (servers, steps)), 0, 100).astype(np.float32)
    return Grid(tuple(f"s{i}" for i in range(servers)), 1000, 300, values)


def rows(times: list[int], values: list[float | None], server: str = "a") -> pl.DataFrame:
    """A trace of one server; times in seconds."""
    return pl.DataFrame({"server": [server] * len(times), "timestamp": [1000 * t for t in times], "x": values})


def test_the_step_is_the_most_frequent_distance() -> None:
    assert infer_step(rows([0, 300, 600, 1500, 1800], [1, 2, 3, 4, 5])) == 300


def test_a_step_that_cannot_be_inferred_is_asked_for() -> None:
    with pytest.raises(ConfigurationError, match="give --step SECONDS"):
        infer_step(rows([0], [1]))


def test_a_grid_averages_within_a_step_and_leaves_gaps_missing() -> None:
    found = TraceStore.of(rows([0, 100, 900], [1.0, 3.0, 7.0]), 300).grid("x")
    assert found.values[0].tolist()[0] == 2.0
    assert np.isnan(found.values[0][1:3]).all()
    assert found.values[0].tolist()[3] == 7.0
    assert found.first_step == 0


def test_histories_end_at_their_column_and_are_missing_before_the_beginning() -> None:
    values = np.arange(10, dtype=np.float32)[None]
    found = Grid(("a",), 0, 300, values).histories(np.array([0, 0]), np.array([2, 9]), 4)
    assert np.isnan(found[0, 0])
    assert found[0, 1:].tolist() == [0, 1, 2]
    assert found[1].tolist() == [6, 7, 8, 9]


def test_a_limit_of_the_request_replaces_the_catalogues() -> None:
    request = Request(1, LEVELS, {"cpu_used_pct": 70.0, "other": 5.0})
    assert described("cpu_used_pct", DEFAULT_CATALOGUE, request).limit == 70
    assert described("other", DEFAULT_CATALOGUE, request).harm == 1
    assert described("mem_used_pct", DEFAULT_CATALOGUE, request).limit == 95


@pytest.mark.parametrize("negative", [False, True])
def test_an_unknown_metric_that_was_never_negative_stays_so(*, negative: bool) -> None:
    noise = np.random.default_rng(1).normal(0, 3, (1, 40)).astype(np.float32)
    values = noise if negative else np.abs(noise)
    unknown = Metric.model_construct(name="x")
    ((_, found),) = forecasts(AnalogForecaster(), Grid(("a",), 0, 300, values), _origin(39), unknown, REQUEST)
    assert (found.quantiles.min() < 0) == negative


def test_what_a_trace_has_shown_to_be_possible_is_legal() -> None:
    values = np.full((1, 800), 140, np.float32)
    ((_, found),) = forecasts(AnalogForecaster(), Grid(("a",), 0, 300, values), _origin(799), CPU, REQUEST)
    assert (found.quantiles == 140).all()


def _origin(column: int) -> Origins:
    return Origins(np.array([0]), np.array([column]))


def test_rolling_origins_leave_room_for_the_horizon() -> None:
    origins = rolling_origins(rhythm(2, 100), 50, 88, 20)
    assert origins.column.tolist() == [50, 50, 70, 70]
    assert origins.server.tolist() == [0, 1, 0, 1]


class Shifted(AnalogForecaster):
    """Forecasts that are off by so much."""

    kind = "residual"

    def __init__(self, by: float) -> None:
        super().__init__()
        self._by = np.float32(by)

    def forecast(self, batch: SeriesBatch, horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
        found = super().forecast(batch, horizon, levels)
        return replace(found, quantiles=found.quantiles + self._by)


def backtested(forecasters: dict[str, Forecaster]) -> tuple[Windows, Scores]:
    values = rhythm()
    windows = run(forecasters, values, rolling_origins(values, 900, 1488, 24), CPU, REQUEST, lambda _: None)
    assert windows is not None
    return windows, evaluate(windows, LEVELS, CPU, windows.column // 288)


def test_a_backtest_beats_naive_on_a_rhythm_and_covers_what_it_promises() -> None:
    _, scores = backtested({STATISTICAL: AnalogForecaster()})
    ours = scores.forecasters[STATISTICAL]
    assert (scores.windows, scores.servers, scores.days) == (100, 4, 3)
    assert ours.wql < scores.baselines["naive"].wql
    typical = scores.relative[STATISTICAL][SEASONAL].typical
    assert typical.low <= typical.value <= typical.high
    assert 0.6 < ours.coverage < 0.95
    assert len(ours.coverage_by_lead) == len(ours.wql_by_lead) == 12
    assert set(ours.breach) == {"15 min", "60 min", "240 min", "480 min"}


def test_a_model_is_compared_with_the_statistical_forecaster_over_the_same_windows() -> None:
    windows, scores = backtested({"model": Shifted(5), STATISTICAL: AnalogForecaster()})
    same, worse = scores.relative["model"][STATISTICAL], scores.forecasters["model"]
    assert set(scores.relative[STATISTICAL]) == {SEASONAL}
    assert same.wql.low > 1
    assert same.typical.low > 1
    assert worse.wql / scores.forecasters[STATISTICAL].wql == pytest.approx(same.wql.value)
    np.testing.assert_allclose(
        windows.answers["model"].quantiles, windows.answers[STATISTICAL].quantiles + 5, rtol=1e-6
    )


def test_a_forecaster_compared_with_itself_is_exactly_as_good() -> None:
    _, scores = backtested({"model": Shifted(0), STATISTICAL: AnalogForecaster()})
    pair = scores.relative["model"][STATISTICAL]
    for ratio in (pair.wql, pair.typical, pair.mase):
        assert (ratio.value, ratio.low, ratio.high) == pytest.approx((1, 1, 1))


def test_windows_of_several_stretches_are_those_of_all_of_it() -> None:
    values, forecasters = rhythm(), {STATISTICAL: AnalogForecaster()}
    whole = run(forecasters, values, rolling_origins(values, 900, 1300, 100), CPU, REQUEST, lambda _: None)
    parts = [
        run(forecasters, values, rolling_origins(values, begin, begin + 200, 100), CPU, REQUEST, lambda _: None)
        for begin in (900, 1100)
    ]
    joined = join([part for part in parts if part is not None])
    assert whole is not None
    assert joined is not None
    np.testing.assert_array_equal(whole.truth, joined.truth)
    np.testing.assert_array_equal(whole.answers[STATISTICAL].quantiles, joined.answers[STATISTICAL].quantiles)


def test_a_trace_without_enough_history_has_no_windows() -> None:
    values = rhythm(1, 200)
    empty = Grid(values.servers, 0, 300, np.full_like(values.values, np.nan))
    origins = rolling_origins(empty, 100, 188, 24)
    assert run({STATISTICAL: AnalogForecaster()}, empty, origins, CPU, REQUEST, lambda _: None) is None


def test_a_perfect_forecast_has_no_loss_and_a_worse_one_has_more() -> None:
    truth = np.array([[1.0, 2.0, np.nan]])
    perfect = np.repeat(truth[..., None], 3, axis=2)
    assert wql(np.nan_to_num(perfect), LEVELS, truth) == 0
    assert wql(np.nan_to_num(perfect) + 1, LEVELS, truth) > 0


def test_the_base_rate_has_no_skill() -> None:
    happened = np.array([True, False, False, False])
    assert brier_skill(np.full(4, 0.25), happened) == pytest.approx(0)
    assert np.isnan(brier_skill(np.full(2, 0.5), np.array([True, True])))


def test_reliability_counts_every_forecast_once() -> None:
    p = np.random.default_rng(1).random(1000)
    assert sum(count for _, _, count in reliability(p, p > 0.5)) == 1000


def test_the_seasonal_error_of_a_short_series_is_unknown() -> None:
    assert np.isnan(seasonal_error(np.ones((2, 10)), 288)).all()
