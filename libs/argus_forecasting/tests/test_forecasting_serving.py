"""Serving: the device that works is used, and what was made fast gives the same figures."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_forecasting.calibration import Calibration
from argus_forecasting.features.inputs import prepare
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.forecaster import Floats, SeriesBatch
from argus_forecasting.practice import passed, practice
from argus_forecasting.trained.artefact import Manifest
from argus_forecasting.trained.device import Cpu, Cuda, devices, first_that_works
from argus_forecasting.trained.forecaster import HISTORY_STEPS, TrainedForecaster
from argus_forecasting.trained.joint import ascending
from argus_forecasting.trained.networks import Network, NetworkSettings, build
from argus_forecasting.trained.networks.tft import TftNetwork
from argus_forecasting.trained.occlusion import Arrays
from argus_forecasting.trained.selection import Looked

SCHEMA = FeatureSchema(300, ("cpu_used_pct",), ("generic",), ("cpu_used_pct", "mem_used_pct"))
SMALL = NetworkSettings(hidden=8, layers=1)
MANIFEST = Manifest("fleet", "1", "2026-01-01T00:00:00Z", SCHEMA, SMALL, Calibration())
LEVELS = (0.1, 0.5, 0.9)


class Gpu(Cpu):
    """As a GPU seems to us: it takes large chunks, and may fail to hold or to run a network."""

    name = "gpu"
    chunk = 300

    def __init__(self, hold: Exception | None = None, run: Exception | None = None) -> None:
        self._hold, self._run, self.ran = hold, run, []  # type: ignore[var-annotated]

    def hold(self, network: Network) -> Network:
        if self._hold is not None:
            raise self._hold
        return network.eval()

    def run(self, network: Network, inputs: Arrays) -> Floats:
        self.ran.append(len(inputs["base"]))
        if self._run is not None:
            raise self._run
        return Cpu().run(network, inputs)


def network() -> Network:
    torch.manual_seed(1)
    return build(SMALL, SCHEMA)


def series(count: int) -> SeriesBatch:
    return practice(HISTORY_STEPS, 300, count)


def test_a_gpu_that_works_serves_and_is_tried_with_a_whole_chunk() -> None:
    gpu = Gpu()
    forecaster = TrainedForecaster.on_first(MANIFEST, network(), (gpu, Cpu()))
    assert gpu.ran == [300]
    forecaster.forecast(series(310), 96, LEVELS)
    assert gpu.ran == [300, 300, 10]


@pytest.mark.parametrize(
    "gpu",
    [
        Gpu(run=torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB\nmore")),
        Gpu(hold=torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB\nmore")),
        Gpu(run=RuntimeError("no kernel image is available for execution on the device")),
    ],
    ids=["no room to run", "no room to hold", "too old"],
)
def test_a_gpu_that_has_no_room_or_does_not_work_is_passed_over_and_told(
    gpu: Gpu, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "argus.forecasting.device"):
        forecaster = TrainedForecaster.on_first(MANIFEST, network(), (gpu, Cpu()))
    (told,) = caplog.records
    assert told.message == "device passed over"
    assert vars(told)["device"] == "gpu"
    assert "\n" not in vars(told)["why"]
    ours = forecaster.forecast(series(3), 96, LEVELS)
    assert passed(ours, 3, 96)
    alone = TrainedForecaster(MANIFEST, network()).forecast(series(3), 96, LEVELS)
    assert np.array_equal(ours.quantiles, alone.quantiles)


def test_a_bug_is_not_taken_for_a_device_that_does_not_work() -> None:
    with pytest.raises(ZeroDivisionError):
        first_that_works(network(), prepare(series(2), SCHEMA).inputs.arrays(), (Gpu(run=ZeroDivisionError()), Cpu()))


@pytest.mark.parametrize(("there", "names"), [(True, ["cuda", "cpu"]), (False, ["cpu"])])
def test_without_a_gpu_there_is_the_cpu_and_with_one_it_comes_last(
    monkeypatch: pytest.MonkeyPatch, there: bool, names: list[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert [device.name for device in devices()] == names


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_says_nearly_what_the_cpu_says() -> None:
    inputs = prepare(series(64), SCHEMA).inputs.arrays()
    ours, theirs = (one.run(one.hold(network()), inputs) for one in (Cpu(), Cuda()))
    np.testing.assert_allclose(theirs, ours, atol=0.02)


def tensors(count: int) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(values) for name, values in prepare(series(count), SCHEMA).inputs.arrays().items()}


def librarys_way(network: TftNetwork, inputs: Mapping[str, torch.Tensor]) -> Any:  # noqa: ANN401
    """What the library's own code gives: that of training, without dropout."""
    network.train()
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(module, torch.nn.LSTM):
            module.dropout = 0.0
    with torch.no_grad():
        made = network.attend(inputs)
    network.eval()
    return made


@pytest.mark.parametrize("settings", [NetworkSettings("tft", 32, 1, 4), NetworkSettings("tft", 8, 2, 2)])
def test_the_fused_selection_gives_the_library_s_figures(settings: NetworkSettings) -> None:
    torch.manual_seed(2)
    made = build(settings, SCHEMA).eval()
    assert isinstance(made, TftNetwork)
    inputs = tensors(40)
    for _ in range(2):  # the second time with other weights, which must be noticed
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        theirs, their_looks = librarys_way(made, inputs)
        with torch.inference_mode():
            ours, our_looks = made.attend(inputs)
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
        assert theirs.abs().mean() > 1e-3
        for name, looks in their_looks.items():
            torch.testing.assert_close(our_looks[name], looks, atol=1e-5, rtol=1e-4)


def test_what_a_tft_looked_at_sums_to_one() -> None:
    made = build(NetworkSettings("tft", 8, 1, 2), SCHEMA).eval()
    with torch.inference_mode():
        looked = made.look(tensors(5))
    assert isinstance(looked, Looked)
    np.testing.assert_allclose(looked.attention.sum(axis=1), 1, rtol=1e-5)
    assert 0.5 < sum(values.sum() for values in looked.weight.values()) / 5 < 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-(2**60), 2**60, width=32) | st.sampled_from([0.0, -0.0, 1.0]), min_size=1, max_size=64))
def test_samples_are_ordered_as_a_stable_sort_orders_them(values: list[float]) -> None:
    paths = np.array(values, np.float32)[None, None]
    assert np.array_equal(ascending(paths), np.argsort(paths, axis=2, kind="stable"))


def test_more_samples_than_a_key_can_tell_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="257 samples, at most 256"):
        ascending(np.zeros((1, 1, 257), np.float32))


def test_a_forecast_that_is_none_does_not_pass() -> None:
    made = TrainedForecaster(MANIFEST, network()).forecast(series(3), 96, LEVELS)
    assert passed(made, 3, 96)
    assert not passed(made, 4, 96)
    assert not passed(made, 3, 48)
    made.quantiles[1, 5] = made.quantiles[1, 5, ::-1] + [1, 0, -1]
    assert not passed(made, 3, 96)
    made.quantiles[1, 5] = np.nan
    assert not passed(made, 3, 96)
