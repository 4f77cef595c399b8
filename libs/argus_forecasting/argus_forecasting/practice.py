"""A forecast for nobody: a forecaster that was just opened is tried, and is as fast afterwards as it will be."""

import numpy as np

from argus_forecasting.forecaster import ForecastBatch, SeriesBatch


def practice(length: int, step_seconds: int, series: int) -> SeriesBatch:
    """Waves of ``length`` steps."""
    wave = (np.sin(np.arange(length) / 40) + 2) * 10.0 ** (np.arange(series) % 4 - 1)[:, None]
    return SeriesBatch.plain(wave.astype(np.float32), np.full(series, length), step_seconds)


def passed(made: ForecastBatch, series: int, horizon: int) -> bool:
    """Whether it is a forecast of so many series: of that shape, finite, rising with the level."""
    shape = (series, horizon, len(made.quantile_levels))
    sound = made.quantiles.shape == shape and np.isfinite(made.quantiles).all()
    return bool(sound and (np.diff(made.quantiles, axis=2) >= 0).all())
