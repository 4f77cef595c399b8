"""What a forecast was made from is named: the moments like now, the one input that matters, what was attended to."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.calibration import Calibration
from argus_forecasting.drivers import ATTENDED, COURSE, LIKE_NOW, Driver, Explains, heaviest
from argus_forecasting.features.covariates import CHANNELS
from argus_forecasting.features.inputs import COARSE, DAY_QUANTILES, PEAKS, RECENT
from argus_forecasting.features.past_days import KINDS
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.forecaster import Bands, Context, Floats, SeriesBatch, Trust
from argus_forecasting.statistical import AnalogForecaster
from argus_forecasting.trained.artefact import Manifest
from argus_forecasting.trained.forecaster import TrainedForecaster
from argus_forecasting.trained.networks import Network, NetworkSettings, build
from argus_forecasting.trained.networks.residual import ResidualNetwork

DAY = 288
STEPS = 2112
ORIGIN = 5_785_632
METRICS = DEFAULT_CATALOGUE.names()
TARGET, OTHER = "mem_used_pct", "net_in_mb_s"
SCHEMA = FeatureSchema(300, (TARGET, "cpu_used_pct"), ("generic",), METRICS)


def waves(series: int, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    hours = 2 * np.pi * np.arange(STEPS) / DAY
    return (40 + 15 * np.sin(hours) + rng.normal(0, 3, (series, STEPS))).astype(np.float32)


def batch(values: Floats, target: str = TARGET, harm: int = 1) -> SeriesBatch:
    """A series of ``target`` for each of as many servers, which report all metrics."""
    size = len(values)
    rng = np.random.default_rng(5)
    others = (50 + 10 * rng.normal(size=(size, len(METRICS), 2 * DAY))).astype(np.float32)
    context = Context(
        np.arange(size),
        np.full(size, METRICS.index(target)),
        METRICS,
        others,
        ("generic",) * size,
        np.full((size, 18), 20, np.float32),
    )
    plain = SeriesBatch.plain(values, np.full(size, ORIGIN), 300)
    return replace(plain, context=context, harm=np.full(size, harm, np.int8), limit=np.full(size, 90, np.float32))


def trained(network: Network, settings: NetworkSettings) -> TrainedForecaster:
    return TrainedForecaster(Manifest("fleet", "1", "2026-01-01T00:00:00Z", SCHEMA, settings, Calibration()), network)


def test_shares_are_of_all_inputs_and_the_lightest_are_left_out() -> None:
    assert heaviest({"a": 1.0, "b": 5.0, "c": 2.0, "d": 2.0, "e": 0.0}, count=2) == (
        Driver("b", 0.5),
        Driver("c", 0.2),
    )
    assert heaviest({"a": 0.0}) == ()


def test_the_moments_most_like_now_are_named_with_their_time_and_likeness() -> None:
    values = np.full((1, STEPS), 40, np.float32) + np.random.default_rng(1).normal(0, 0.5, (1, STEPS)).astype(
        np.float32
    )
    for moment in (600, 1400):  # twice before it was as high as now
        values[0, moment - 11 : moment + 1] = 80
    values[0, -12:] = 80
    (found,) = AnalogForecaster().drivers(batch(values), 96)
    moments = [driver.step - (ORIGIN - STEPS + 1) for driver in found if driver.step is not None]
    assert {min((600, 1400), key=lambda known: abs(known - moment)) for moment in moments[:2]} == {600, 1400}
    assert all(min(abs(600 - moment), abs(1400 - moment)) <= 6 for moment in moments[:2])
    assert all(driver.input == LIKE_NOW and driver.effect is None for driver in found)
    weights = [driver.weight for driver in found]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > 0.8


def test_moments_that_are_told_lie_apart_and_in_the_past() -> None:
    for found in AnalogForecaster().drivers(batch(waves(20)), 96):
        steps = sorted(driver.step for driver in found if driver.step is not None)
        assert len(steps) == 3
        assert min(np.diff(steps)) >= 12
        assert steps[-1] <= ORIGIN - 96


@pytest.mark.parametrize("history", [1, 100, 130])
def test_a_series_that_warms_up_has_no_drivers(history: int) -> None:
    young = waves(2)
    young[:, :-history] = np.nan
    assert AnalogForecaster().drivers(batch(young), 96) == ((), ())
    assert AnalogForecaster(history).drivers(batch(young), 96) == ((), ())
    settings = NetworkSettings(hidden=8, layers=1)
    assert trained(build(settings, SCHEMA), settings).drivers(batch(young), 96) == ((), ())


def test_a_demoted_series_is_explained_by_the_forecaster_that_serves_it() -> None:
    bands = Bands((1, 12, 96), np.zeros((3, 3, 3), np.float32), np.ones((3, 3), np.float32))
    series = replace(batch(waves(3)), trust=Trust(bands, bands, np.array([False, True, False])))
    settings = NetworkSettings(hidden=8, layers=1)
    model = trained(build(settings, SCHEMA), settings)
    own, found = model.drivers(batch(waves(3)), 96), model.drivers(series, 96)
    assert found[1] == AnalogForecaster(STEPS).drivers(series, 96)[1]
    assert all(driver.input == LIKE_NOW for driver in found[1])
    assert (found[0], found[2]) == (own[0], own[2])


def looks_only_at(metric: str) -> TrainedForecaster:
    """A network whose correction depends on one covariate alone."""
    torch.manual_seed(3)
    settings = NetworkSettings(hidden=16, layers=1)
    network = build(settings, SCHEMA)
    assert isinstance(network, ResidualNetwork)
    before = RECENT + COARSE + PEAKS + len(SCHEMA.knots) * len(KINDS) + len(DAY_QUANTILES)
    begin = before + METRICS.index(metric) * CHANNELS
    with torch.no_grad():
        kept = network.enter.weight[:, begin : begin + CHANNELS].clone()
        network.enter.weight.zero_()
        network.enter.weight[:, begin : begin + CHANNELS] = kept
    return trained(network, settings)


def without_course(found: tuple[Driver, ...]) -> list[Driver]:
    """The statistical forecast goes into every forecast, whatever the network looks at."""
    return [driver for driver in found if driver.input != COURSE]


@pytest.mark.parametrize("metric", [OTHER, "cpu_iowait_pct"])
def test_the_one_input_that_a_network_looks_at_is_named(metric: str) -> None:
    for found in looks_only_at(metric).drivers(batch(waves(6)), 96):
        assert [driver.input for driver in without_course(found)] == [metric]
        assert all(driver.effect and driver.weight > 0 for driver in found)


def test_an_effect_is_what_the_forecast_loses_without_the_input() -> None:
    forecaster, known = looks_only_at(OTHER), batch(waves(3))
    assert known.context is not None
    unknown = known.context.values.copy()
    unknown[:, METRICS.index(OTHER)] = np.nan
    blind = replace(known, context=replace(known.context, values=unknown))
    outer = [forecaster.forecast(one, 96, (0.1, 0.5, 0.9)).quantiles[:, :, 2].mean(axis=1) for one in (known, blind)]
    effects = [without_course(found)[0].effect for found in forecaster.drivers(known, 96)]
    np.testing.assert_allclose(np.array(effects, float), outer[0] - outer[1], rtol=1e-3, atol=1e-4)


def test_for_a_limit_below_the_lower_quantile_counts() -> None:
    forecaster = looks_only_at(OTHER)
    above, below = (forecaster.drivers(batch(waves(3), harm=harm), 96) for harm in (1, -1))
    assert [one.effect for found in above for one in found] != [one.effect for found in below for one in found]


def test_the_target_s_own_past_is_one_input_whichever_form_it_has() -> None:
    settings = NetworkSettings(hidden=16, layers=1)
    for found in trained(build(settings, SCHEMA), settings).drivers(batch(waves(4)), 96):
        inputs = [driver.input for driver in found]
        assert len(inputs) == len(set(inputs))
        assert 0 < sum(driver.weight for driver in found) <= 1 + 1e-6


def selects_only(variable: str) -> TrainedForecaster:
    """A TFT whose selection of past variables leaves one."""
    torch.manual_seed(3)
    settings = NetworkSettings("tft", 8, 1, 2)
    network = build(settings, SCHEMA)
    selection: Any = network.tft["encoder_variable_selection"]  # type: ignore[index]
    norm = selection.flattened_grn.gate_norm.add_norm.norm
    with torch.no_grad():
        norm.weight.zero_()
        norm.bias.fill_(-20)
        norm.bias[list(selection.input_sizes).index(variable)] = 20
    return trained(network, settings)


def test_the_variable_that_a_tft_selects_is_named_first_and_attended_moments_are_told() -> None:
    for found in selects_only(f"other_{OTHER}").drivers(batch(waves(5)), 96):
        assert found[0].input == OTHER
        assert found[0].weight > 1 / 3
        moments = [driver for driver in found if driver.input == ATTENDED]
        assert len(moments) == 2
        assert all(ORIGIN - 504 <= (driver.step or 0) <= ORIGIN and 0 < driver.weight <= 1 for driver in moments)


def test_a_tft_s_own_past_is_told_by_the_metric_s_name() -> None:
    (found,) = selects_only("level").drivers(batch(waves(1)), 96)
    assert found[0].input == TARGET


def test_every_forecaster_explains_and_an_empty_batch_has_nothing_to_say() -> None:
    settings = NetworkSettings(hidden=8, layers=1)
    for forecaster in (AnalogForecaster(), trained(build(settings, SCHEMA), settings)):
        assert isinstance(forecaster, Explains)
        assert forecaster.drivers(batch(waves(0)), 96) == ()
