"""Equally likely trajectories of the horizon for any history, long or short."""

import numpy as np

from argus_forecasting.forecaster import Floats, Mask
from argus_forecasting.statistical.analogs import SAMPLES, find_analogs
from argus_forecasting.statistical.history import History
from argus_forecasting.statistical.paths import sample_paths
from argus_forecasting.statistical.warm_up import warm_up_paths

ENOUGH_CANDIDATES = 48
"""Moments with a known future below which a series is still warming up: four hours of five-minute steps."""


def trajectories(
    history: History, lower: Floats, upper: Floats, horizon: int, step_seconds: int
) -> tuple[Floats, Mask]:
    """(series, lead, sample) paths within the legal range, and (series,) whether they come from the warm-up."""
    if history.length <= horizon + ENOUGH_CANDIDATES:
        paths, young = warm_up_paths(history, lower, upper, horizon, SAMPLES), np.ones(len(lower), bool)
    else:
        analogs = find_analogs(history, horizon, step_seconds)
        paths = sample_paths(history, analogs, horizon)
        young = analogs.usable < ENOUGH_CANDIDATES
        if young.any():
            some = History(history.filled[young], history.known[young], history.first[young])
            paths[young] = warm_up_paths(some, lower[young], upper[young], horizon, SAMPLES)
    np.clip(paths, lower[:, None, None], upper[:, None, None], out=paths)
    return paths, young
