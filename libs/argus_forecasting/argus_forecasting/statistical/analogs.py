"""Finds the moments of a series' past that were most like now.

References:
    E. N. Lorenz, "Atmospheric predictability as revealed by naturally occurring analogues", 1969: the future of a
    past state that resembles the present one is a forecast. Here: many analogs, weighted by likeness, each with its
    own trajectory as one sample of the joint distribution over the horizon.
"""

from dataclasses import dataclass

import numpy as np

from argus_forecasting.forecaster import Floats, Ints, Mask
from argus_forecasting.statistical.history import History, trailing_mean

SCALES = ((6, 1.0), (1, 0.5), (36, 0.5))
"""(trailing steps, weight) of the levels that are compared; chosen on validation parts of three traces (README.md)."""
TIME_OF_DAY_WEIGHT = 0.25
ANALOGS = 100
SAMPLES = 64
"""Equally likely trajectories drawn from the weighted analogs: cheap to sort, fine enough for the outer quantiles."""
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Analogs:
    """``column``: (series, sample) where each sampled analog's present lies. ``usable``: (series,) how many candidate
    moments there were.
    """

    column: Ints
    usable: Ints


@dataclass(frozen=True, slots=True)
class Nearest:
    """``column``: (series, analog) moments, the most alike first. ``likeness``: (series, analog) 1 = the same as now,
    0 = as far as the farthest of them, or not allowed. ``usable``: (series,) how many candidate moments there were.
    """

    column: Ints
    likeness: Floats
    usable: Ints


def find_analogs(history: History, horizon: int, step_seconds: int) -> Analogs:
    """Equally likely analogs of the last column, drawn from the nearest in proportion to their likeness."""
    nearest = nearest_analogs(history, horizon, step_seconds)
    return Analogs(np.take_along_axis(nearest.column, _draw(nearest.likeness), axis=1), nearest.usable)


def nearest_analogs(history: History, horizon: int, step_seconds: int) -> Nearest:
    """The moments most like the last column whose next ``horizon`` columns lie in the past too."""
    last = history.length - 1
    candidates = np.arange(max(SCALES[0][0] - 1, 0), max(last - horizon + 1, SCALES[0][0]))
    distance = _distance(history, candidates, step_seconds)
    allowed = _allowed(history, candidates, horizon)
    distance[~allowed] = np.inf
    kept = min(ANALOGS, len(candidates))
    nearest = np.argpartition(distance, kept - 1, axis=1)[:, :kept]
    reach = np.take_along_axis(distance, nearest, axis=1)
    order = np.argsort(reach, axis=1, kind="stable")
    nearest, reach = np.take_along_axis(nearest, order, axis=1), np.take_along_axis(reach, order, axis=1)
    return Nearest(candidates[nearest], _likeness(reach), allowed.sum(axis=1))


def _distance(history: History, candidates: Ints, step_seconds: int) -> Floats:
    """(series, candidate): differences of level at several scales in units of the series' spread, and of the hour."""
    distance = np.zeros((len(history.filled), len(candidates)), np.float32)
    spread = None
    for width, weight in SCALES:
        level = trailing_mean(history.filled, width) if width > 1 else history.filled
        if spread is None:
            spread = level.std(axis=1, keepdims=True) + np.float32(1e-6)
        distance += np.float32(weight) * np.abs(level[:, candidates] - level[:, -1:]) / spread
    day = SECONDS_PER_DAY // step_seconds
    if history.length >= 2 * day:
        apart = (history.length - 1 - candidates) % day
        hours = np.minimum(apart, day - apart) / (day / 2)
        distance += (TIME_OF_DAY_WEIGHT * hours).astype(np.float32)
    return distance


def _allowed(history: History, candidates: Ints, horizon: int) -> Mask:
    """(series, candidate) whether enough of an analog's past and future was observed."""
    observed = np.concatenate(
        [np.zeros((len(history.known), 1), np.int32), np.cumsum(history.known, axis=1, dtype=np.int32)], axis=1
    )
    future: Ints = observed[:, candidates + 1 + horizon] - observed[:, candidates + 1]
    past = observed[:, candidates + 1] - observed[:, np.maximum(candidates - SCALES[0][0] + 1, 0)]
    allowed: Mask = (2 * future >= horizon) & (2 * past >= SCALES[0][0])
    return allowed


def _likeness(reach: Floats) -> Floats:
    """Epanechnikov weights of sorted distances (series, analog); zero for candidates that are not allowed."""
    finite = np.isfinite(reach)
    widest = np.max(np.where(finite, reach, 0), axis=1, keepdims=True) * np.float32(1.001) + np.float32(1e-9)
    return np.where(finite, 1 - np.square(np.where(finite, reach, 0) / widest), 0).astype(np.float32)


def _draw(weights: Floats) -> Ints:
    """(series, sample) positions, drawn systematically in proportion to the weights: no chance, no seed."""
    cumulative = np.cumsum(weights, axis=1, dtype=np.float64)
    total = cumulative[:, -1:]
    cumulative = np.where(total > 0, cumulative / np.where(total > 0, total, 1), 1.0)
    points = (np.arange(SAMPLES) + 0.5) / SAMPLES
    below = (cumulative[:, None, :] < points[None, :, None]).sum(axis=2)
    positions: Ints = np.minimum(below, weights.shape[1] - 1)
    return positions
