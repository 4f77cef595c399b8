"""The forecaster that every backtest measures against and that serves where no model does."""

from dataclasses import replace

import numpy as np

from argus_forecasting.calibration import Calibration
from argus_forecasting.drivers import Drivers
from argus_forecasting.forecaster import WITHIN_MINUTES, ForecastBatch, SeriesBatch, joined
from argus_forecasting.online.bands import scored
from argus_forecasting.statistical.analogs import SECONDS_PER_DAY
from argus_forecasting.statistical.answers import answers
from argus_forecasting.statistical.history import History
from argus_forecasting.statistical.moments import moments_like_now
from argus_forecasting.statistical.summary import quantiles_of
from argus_forecasting.statistical.trajectories import trajectories

CHUNK = 128
"""Series per chunk: 7 days of history and 70 paths of 96 steps stay within a few dozen megabytes."""
BREACHES = Calibration(intercepts=(-0.38, -0.28, -0.29, -0.33), slopes=(0.89, 0.75, 0.74, 0.67))
"""Analogs promise too much: where 60 % of their paths cross, fewer do. Fitted on the training part of the bitbrains
fleet (CPU, limits 90 and 60) and the Azure trace (limits 70 and 50) together."""


class AnalogForecaster:
    """Weighted analogs of the last week, with their trajectories as joint samples of the horizon."""

    name = "analog"
    version = "3"
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
        alone = replace(batch, context=None)
        slices = [slice(i, i + CHUNK) for i in range(0, len(batch), CHUNK)]
        parts = [self._chunk(alone.part(rows), horizon, levels) for rows in slices]
        return joined(parts) if parts else _none(horizon, levels)

    def drivers(self, batch: SeriesBatch, horizon: int) -> tuple[Drivers, ...]:
        """The moments most like now; see `Explains`."""
        history = History.of(np.ascontiguousarray(batch.values[:, -self._history_steps :], np.float32))
        return moments_like_now(batch, history, horizon)

    def _chunk(self, batch: SeriesBatch, horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
        history = History.of(np.ascontiguousarray(batch.values[:, -self._history_steps :], np.float32))
        paths, young = trajectories(history, batch.lower, batch.upper, horizon, batch.step_seconds)
        raw = quantiles_of(paths.copy(), levels)
        bands = None if batch.trust is None else batch.trust.own
        day = min(SECONDS_PER_DAY // batch.step_seconds, self._history_steps // 2)
        return ForecastBatch(
            levels,
            *answers(batch, paths, raw, levels, BREACHES, bands),
            history.known.mean(axis=1).astype(np.float32),
            young | (history.known.sum(axis=1) < day),
            None if bands is None else scored(raw, bands.leads)[:, None],
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
