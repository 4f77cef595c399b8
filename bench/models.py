"""Trained models on one core: 1,000 servers, five targets, 96 steps; beside the stock TFT and its ``predict()``."""

import logging
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch

from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.calibration import Calibration
from argus_forecasting.features.inputs import prepare
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.forecaster import Context, SeriesBatch
from argus_forecasting.trained.artefact import Manifest
from argus_forecasting.trained.device import Cpu
from argus_forecasting.trained.forecaster import HISTORY_STEPS, TrainedForecaster
from argus_forecasting.trained.networks import Network, build
from argus_forecasting.training.presets import PRESETS
from argus_local import Stack
from bench.report import Measurement
from bench.stock_tft import predict

SERVERS, GROUP, HORIZON = 1000, 125, 96
LEVELS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
TARGETS = tuple(metric.name for metric in DEFAULT_CATALOGUE.targets())
METRICS = DEFAULT_CATALOGUE.names()
SCHEMA = FeatureSchema(300, TARGETS, ("generic",), METRICS)


def measure(stack: Stack) -> list[Measurement]:
    """CPU seconds for 1,000 servers, as inference groups them; weights do not matter to time."""
    del stack
    torch.set_num_threads(1)
    logging.getLogger("lightning").setLevel(logging.ERROR)
    batch = _group()
    networks = {family: build(PRESETS[family, "small"].network, SCHEMA) for family in ("residual", "tft")}
    found = [one for family, network in networks.items() for one in _served(family, network, batch)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stock = predict(SERVERS, METRICS, TARGETS, HORIZON, LEVELS)
    alone = {family: _network_seconds(network, batch) for family, network in networks.items()}
    note = f"stock TFT of the same width and inputs: {stock:.1f} s"
    ratios = [
        Measurement(f"{family}, network alone, against predict()", stock / seconds, "times as fast", 3, note=note)
        for family, seconds in alone.items()
    ]
    return found + ratios


def _served(family: str, network: Network, batch: SeriesBatch) -> list[Measurement]:
    manifest = Manifest("bench", "1", "", SCHEMA, PRESETS[family, "small"].network, Calibration())
    forecaster = TrainedForecaster(manifest, network)
    whole = _seconds(lambda: forecaster.forecast(batch, HORIZON, LEVELS))
    few = batch.part(np.arange(0, len(batch), len(TARGETS)))
    drivers = _seconds(lambda: forecaster.drivers(few, HORIZON))
    return [
        Measurement(f"{family}, everything", whole, "s", 6, 2.5, higher=False, note="1,000 servers"),
        Measurement(f"{family}, drivers of one target each", drivers, "s", higher=False, note="1,000 servers"),
    ]


def _network_seconds(network: Network, batch: SeriesBatch) -> float:
    cpu = Cpu()
    parts = [batch.part(slice(i, i + cpu.chunk)) for i in range(0, len(batch), cpu.chunk)]
    inputs = [prepare(part, SCHEMA).inputs.arrays() for part in parts]
    held = cpu.hold(network)
    return _seconds(lambda: [cpu.run(held, one) for one in inputs])


def _seconds(work: Callable[[], object]) -> float:
    """CPU seconds for all servers, from the faster of two runs over one group; the first run of all is not counted."""
    work()
    times = []
    for _ in range(2):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times) * SERVERS / GROUP


def _group() -> SeriesBatch:
    """Walks of one group of servers, with their other metrics."""
    rng, size = np.random.default_rng(1), GROUP * len(TARGETS)
    walk = np.abs(np.cumsum(rng.normal(size=(size, HISTORY_STEPS)), axis=1))
    others = rng.uniform(0, 100, (GROUP, len(METRICS), 576)).astype(np.float32)
    context = Context(
        np.repeat(np.arange(GROUP), len(TARGETS)),
        np.tile([METRICS.index(target) for target in TARGETS], GROUP),
        METRICS,
        others,
        ("generic",) * GROUP,
        np.full((GROUP, 18), 20, np.float32),
    )
    whole = np.ones(size, np.float32)
    return SeriesBatch(
        np.clip(walk, 0, 100).astype(np.float32), np.full(size, 5_785_632), 300,
        0 * whole, 100 * whole, 90 * whole, np.ones(size, np.int8), context,
    )  # fmt: skip
