"""Training a TFT: our pipeline beside the stock loader and trainer of pytorch-forecasting, on the same CPU.

Both networks are of one size (hidden 32, 4 heads, 1 layer, 11 quantiles) and learn one target over 96 steps, from the
same servers with the same other metrics. The stock network sees 288 past steps one by one; ours sees a week as 84
tokens, and the statistical forecast. CPU seconds without worker processes, so that what else runs does not count.
"""

import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lightning
import numpy as np
import polars as pl
import torch
from pytorch_forecasting import QuantileLoss, TemporalFusionTransformer, TimeSeriesDataSet
from pytorch_forecasting.data import EncoderNormalizer

from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.features.schema import LEVELS
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.training.fit import fit
from argus_forecasting.training.pools import Source, windows
from argus_forecasting.training.presets import PRESETS
from argus_forecasting.training.run import Order, schema_of
from argus_forecasting.training.sampling import Sampler, split
from argus_local import Stack
from bench.report import Measurement

SERVERS, DAYS, DAY = 16, 14, 288
TARGET, OTHERS = "cpu_used_pct", ("mem_used_pct", "cpu_iowait_pct", "net_in_mb_s", "net_out_mb_s")
ENCODER, HORIZON = 288, 96
BATCH, STEPS, WARM_UP = 256, 6, 1


def _trace() -> pl.DataFrame:
    rng, time_of = np.random.default_rng(1), np.arange(DAYS * DAY)
    rhythm = 40 + 20 * np.sin(time_of / DAY * 2 * np.pi)
    parts = []
    for server in range(SERVERS):
        columns = {name: np.abs(rhythm + rng.normal(0, 5, len(time_of))) for name in (TARGET, *OTHERS)}
        parts.append(pl.DataFrame({"server": f"s{server:02d}", "timestamp": time_of * 300_000, **columns}))
    return pl.concat(parts)


class _Clock:
    """CPU seconds from the end of the warm-up step to the last one."""

    def __init__(self) -> None:
        self.begun = self.ended = 0.0

    def step(self, number: int) -> None:
        if number == WARM_UP:
            self.begun = time.process_time()
        self.ended = time.process_time()

    def rate(self) -> float:
        return BATCH * (STEPS - WARM_UP) / (self.ended - self.begun)


def _ours(trace: pl.DataFrame) -> float:
    store, clock = TraceStore.of(trace, 300), _Clock()
    settings = replace(PRESETS["tft", "small"], steps=STEPS, batch=BATCH, pool=BATCH, validate_every=STEPS, workers=0)
    schema = schema_of(store, Order("bench", "1", "1970-01-01T00:00:00Z", (TARGET,), settings))
    source = Source(store, schema, DEFAULT_CATALOGUE, Sampler(store, (TARGET,)))
    parts = split(store, HORIZON, 0.2, 0.0)
    at = source.sampler.draw(parts.validation, 32, HORIZON, np.random.default_rng(0))
    with tempfile.TemporaryDirectory() as folder:
        fit(source, parts, windows(source, at), settings, Path(folder), lambda step, _steps, _losses: clock.step(step))
    return clock.rate()


class _Step(lightning.Callback):
    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: object) -> None:
        self._report(trainer.global_step)


def _stock(trace: pl.DataFrame) -> float:
    clock, frame = _Clock(), trace.to_pandas()
    frame["step"] = frame["timestamp"] // 300_000
    frame["hour"], frame["weekday"] = frame["step"] % DAY / DAY, frame["step"] // DAY % 7 / 7.0
    data = TimeSeriesDataSet(
        frame, "step", TARGET, ["server"], max_encoder_length=ENCODER, min_encoder_length=ENCODER,
        max_prediction_length=HORIZON, min_prediction_length=HORIZON, static_categoricals=["server"],
        time_varying_known_reals=["hour", "weekday"],
        time_varying_unknown_reals=[TARGET, *OTHERS], target_normalizer=EncoderNormalizer(),
    )  # fmt: skip
    network = TemporalFusionTransformer.from_dataset(
        data, hidden_size=32, hidden_continuous_size=16, lstm_layers=1, attention_head_size=4, dropout=0.1,
        loss=QuantileLoss(list(LEVELS)), log_interval=-1, learning_rate=2e-3,
    )  # fmt: skip
    trainer = lightning.Trainer(
        accelerator="cpu", max_steps=STEPS, gradient_clip_val=1.0, callbacks=[_Step(clock.step)], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(network, data.to_dataloader(train=True, batch_size=BATCH, num_workers=0))
    return clock.rate()


def measure(stack: Stack) -> list[Measurement]:
    """Windows a CPU second, both ways, and their ratio."""
    del stack
    torch.set_num_threads(1)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    trace = _trace()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the stock loader's, about its own defaults
        stock, ours = _stock(trace), _ours(trace)
    return [
        Measurement("training a TFT, stock loader and trainer", stock, "windows/cpu-s", note="pytorch-forecasting"),
        Measurement("training a TFT, Argus", ours, "windows/cpu-s", note="loading and statistical forecast included"),
        Measurement("training a TFT, Argus over stock", ours / stock, "×", 1.3, 2.0),
    ]
