"""The yardstick: pytorch-forecasting's TFT as its documentation uses it, with its own data set and ``predict()``.

It is told what ours is told of a server: all its metrics, the calendar, the same hours of yesterday, its profile.
"""

import time

import numpy as np
import pandas as pd  # type: ignore[import-untyped, unused-ignore]
from pytorch_forecasting import MultiLoss, QuantileLoss, TemporalFusionTransformer, TimeSeriesDataSet
from pytorch_forecasting.data import EncoderNormalizer, MultiNormalizer

ENCODER, BATCH = 288, 64


def predict(
    servers: int, metrics: tuple[str, ...], targets: tuple[str, ...], horizon: int, levels: tuple[float, ...]
) -> float:
    """CPU seconds of ``predict()`` for these servers, with the data set made beforehand."""
    data = _data(servers, metrics, targets, horizon)
    model = TemporalFusionTransformer.from_dataset(
        data, hidden_size=32, hidden_continuous_size=16, attention_head_size=4, lstm_layers=1, dropout=0.1,
        loss=MultiLoss([QuantileLoss(list(levels)) for _ in targets]), output_size=[len(levels)] * len(targets),
    )  # fmt: skip
    quiet = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    begin = time.process_time()
    model.predict(data, mode="quantiles", batch_size=BATCH, trainer_kwargs=quiet)
    return time.process_time() - begin


def _data(servers: int, metrics: tuple[str, ...], targets: tuple[str, ...], horizon: int) -> TimeSeriesDataSet:
    rng, steps = np.random.default_rng(1), ENCODER + horizon
    times = np.tile(np.arange(steps), servers)
    frame = pd.DataFrame({"server": np.repeat([f"s{i}" for i in range(servers)], steps), "time": times})
    frame["profile"] = "generic"
    known = ["hour_sin", "hour_cos", "weekday_sin", "weekday_cos", *(f"{target}_yesterday" for target in targets)]
    for name in (*known, *metrics):
        frame[name] = rng.uniform(20, 80, len(frame)).astype(np.float32)
    return TimeSeriesDataSet(
        frame, time_idx="time", target=list(targets), group_ids=["server"],
        min_encoder_length=ENCODER, max_encoder_length=ENCODER,
        min_prediction_length=horizon, max_prediction_length=horizon,
        time_varying_known_reals=known, time_varying_unknown_reals=list(metrics),
        static_categoricals=["profile"],
        target_normalizer=MultiNormalizer([EncoderNormalizer() for _ in targets]),
        predict_mode=True,
    )  # fmt: skip
