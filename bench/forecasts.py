"""Statistical forecasts on one core: five targets, 96 steps, seven quantiles, seven days of history."""

import time

import numpy as np

from argus_forecasting.forecaster import SeriesBatch
from argus_forecasting.statistical import AnalogForecaster
from argus_local import Stack
from bench.report import Measurement

SERVERS, TARGETS, HORIZON = 200, 5, 96
LEVELS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)


def measure(stack: Stack) -> list[Measurement]:
    """Servers per CPU second, breach probabilities included."""
    del stack
    size, rng = SERVERS * TARGETS, np.random.default_rng(1)
    forecaster = AnalogForecaster()
    walk = np.cumsum(rng.normal(size=(size, forecaster.history_steps)), axis=1)
    values = np.clip(np.abs(walk), 0, 100).astype(np.float32)
    whole = np.ones(size, np.float32)
    batch = SeriesBatch(
        values, np.ones(size, np.int64), 300, 0 * whole, 100 * whole, 90 * whole, np.ones(size, np.int8)
    )
    forecaster.forecast(batch, HORIZON, LEVELS)
    begin = time.process_time()
    for _ in range(3):
        forecaster.forecast(batch, HORIZON, LEVELS)
    rate = 3 * SERVERS / (time.process_time() - begin)
    return [
        Measurement("statistical forecasts", rate, "servers/cpu-s", 400, 2000, note="breach probabilities included")
    ]
