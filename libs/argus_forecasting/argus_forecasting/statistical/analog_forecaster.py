"""The forecaster that every backtest measures against and that serves where no model does."""

import numpy as np

from argus_forecasting.calibration import Calibration
from argus_forecasting.drivers import Drivers
from argus_forecasting.forecaster import WITHIN_MINUTES, ForecastBatch, SeriesBatch
from argus_forecasting.statistical.analogs import SECONDS_PER_DAY
from argus_forecasting.statistical.history import History
from argus_forecasting.statistical.moments import moments_like_now
from argus_forecasting.statistical.summary import breaches, crossing_curve, quantiles_of
from argus_forecasting.statistical.trajectories import trajectories

CHUNK = 128
"""Series per chunk: 7 days of history and 64 paths of 96 steps stay within a few dozen megabytes."""
BREACHES = Calibration(intercepts=(-0.48, -0.25, -0.70, -0.85), slopes=(0.80, 0.82, 0.62, 0.51))
"""Analogs promise too much: where 60 % of their paths cross, fewer do. Means of the lines fitted on the training part
of the bitbrains fleet (CPU, limits 90 and 60) and on the Azure trace (limits 70 and 50)."""


class AnalogForecaster:
    """Weighted analogs of the last week, with their trajectories as joint samples of the horizon."""

    name = "analog"
    version = "2"
    kind = "statistical"

    def __init__(self, history_steps: int = 2112) -> None:
        """Look at so many steps: a week and a horizon of five-minute steps by default."""
        self._history_steps = history_steps

    @property
    def history_steps(self) -> int:
        """How many steps it wants to see."""
        return self._history_steps

    def forecast(self, batch: SeriesBatch, horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
        """Forecast every series; see `ForecastBatch`."""
        parts = [self._chunk(batch, slice(i, i + CHUNK), horizon, levels) for i in range(0, len(batch), CHUNK)]
        if not parts:
            return _none(horizon, levels)
        return ForecastBatch(
            levels,
            np.concatenate([part.quantiles for part in parts]),
            np.concatenate([part.breach_probability for part in parts]),
            np.concatenate([part.time_to_threshold for part in parts]),
            np.concatenate([part.observed_share for part in parts]),
            np.concatenate([part.warming_up for part in parts]),
        )

    def drivers(self, batch: SeriesBatch, horizon: int) -> tuple[Drivers, ...]:
        """The moments most like now; see `Explains`."""
        history = History.of(np.ascontiguousarray(batch.values[:, -self._history_steps :], np.float32))
        return moments_like_now(batch, history, horizon)

    def _chunk(self, batch: SeriesBatch, rows: slice, horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
        lower, upper, limit, harm = batch.lower[rows], batch.upper[rows], batch.limit[rows], batch.harm[rows]
        history = History.of(np.ascontiguousarray(batch.values[rows, -self._history_steps :], np.float32))
        paths, young = trajectories(history, lower, upper, horizon, batch.step_seconds)
        curve = BREACHES.probabilities(crossing_curve(paths, limit, harm), batch.step_seconds)
        probability, times = breaches(curve, batch.step_seconds)
        day = min(SECONDS_PER_DAY // batch.step_seconds, self._history_steps // 2)
        return ForecastBatch(
            levels,
            quantiles_of(paths, levels),
            probability,
            times,
            history.known.mean(axis=1).astype(np.float32),
            young | (history.known.sum(axis=1) < day),
        )


def _none(horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
    empty = np.empty(0, np.float32)
    return ForecastBatch(
        levels,
        np.empty((0, horizon, len(levels)), np.float32),
        np.empty((0, len(WITHIN_MINUTES)), np.float32),
        np.empty((0, 3), np.float32),
        empty,
        np.empty(0, bool),
    )
