"""The moments of the past that a statistical forecast rests on: apart from each other, the most alike first."""

import numpy as np

from argus_forecasting.drivers import LIKE_NOW, Driver, Drivers
from argus_forecasting.forecaster import Floats, Ints, SeriesBatch
from argus_forecasting.statistical.analogs import Candidates, likeness, nearest_analogs
from argus_forecasting.statistical.history import History
from argus_forecasting.statistical.trajectories import ENOUGH_CANDIDATES

APART = 12
"""Steps between two moments that are told: neighbours are the same moment to a reader."""
MOMENTS = 3
SCALE_RANK, LEAST_SCALE = 4, 0.1
"""Of the likeness that is told: a reader calls moments alike that a forecast still tells apart."""


def moments_like_now(batch: SeriesBatch, history: History, horizon: int) -> tuple[Drivers, ...]:
    """Of every series the moments most like now; none while it is warming up.

    Args:
        batch: the series.
        history: of ``batch``, its last column the origin.
        horizon: steps after a moment that must be known.
    """
    if history.length <= horizon + ENOUGH_CANDIDATES:
        return ((),) * len(batch)
    found = nearest_analogs(Candidates.of(history, horizon, batch.step_seconds), horizon)
    alike, young = likeness(found.reach, SCALE_RANK, LEAST_SCALE), found.usable < ENOUGH_CANDIDATES
    first = batch.origin_step - (history.length - 1)
    return tuple(() if young[i] else _apart(found.column[i], alike[i], int(first[i])) for i in range(len(batch)))


def _apart(column: Ints, alike: Floats, first: int) -> Drivers:
    kept: list[int] = []
    for k in np.flatnonzero(alike > 0).tolist():
        if len(kept) < MOMENTS and all(abs(int(column[k] - column[other])) >= APART for other in kept):
            kept.append(k)
    return tuple(Driver(LIKE_NOW, float(alike[k]), first + int(column[k])) for k in kept)
