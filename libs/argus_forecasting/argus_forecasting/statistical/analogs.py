"""Finds the moments of a series' past that were most like now.

References:
    E. N. Lorenz, "Atmospheric predictability as revealed by naturally occurring analogues", 1969: the future of a
    past state that resembles the present one is a forecast. Here: many analogs, weighted by likeness, each with its
    own trajectory as one sample of the joint distribution over the horizon.
    F. Takens, "Detecting strange attractors in turbulence", 1981: the state is the course of the last steps.
    G. Sugihara, R. M. May, "Nonlinear forecasting as a way of distinguishing chaos from measurement error in time
    series", 1990: the nearest analogs set the scale on which likeness falls.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_forecasting.forecaster import Floats, Ints, Mask
from argus_forecasting.statistical.history import History, trailing_means

LAGS = 36
"""Last steps that are compared one by one; the l-th before the last counts 1 / (l + 1). Chosen, as all figures here,
on validation parts of three traces (README.md)."""
LEVEL_STEPS, LEVEL_WEIGHT = 36, 0.5
"""And the mean of so many, with this weight."""
SPREAD_STEPS = 6
"""Differences are in units of the spread of the series' mean over so many steps: noise does not count."""
TIME_OF_DAY_WEIGHT = 0.25
FIRST = SPREAD_STEPS - 1
"""First column that can be an analog."""
ANALOGS = 150
SCALE_RANK, LEAST_SCALE = 1, 0.05
"""Likeness falls by e over the distance of the analog of this rank, and over this much (in spreads) at least: where
many moments are exactly alike they share the weight with those that are nearly so."""
SAMPLES = 64
"""Equally likely trajectories drawn from the weighted analogs: cheap to sort, fine enough for the outer quantiles."""
SECONDS_PER_DAY = 86_400
NEAR_ROWS = 16
"""Series that are compared at a time: as many as the processor keeps near."""


@dataclass(frozen=True, slots=True)
class Analogs:
    """``column``: (series, sample) where each sampled analog's present lies. ``usable``: (series,) how many candidate
    moments there were.
    """

    column: Ints
    usable: Ints


@dataclass(frozen=True, slots=True)
class Candidates:
    """The moments most like now, nearest first: their ``column`` and their distance ``reach``, (series, candidate),
    enough of them that the nearest with a known future are among them. ``observed``: (series, time + 1) how many
    steps were observed before each. ``length``: columns of the history.
    """

    column: Ints
    reach: Floats
    observed: npt.NDArray[np.int32]
    length: int

    @staticmethod
    def of(history: History, horizon: int, step_seconds: int) -> "Candidates":
        """Those of a history of more than ``FIRST + horizon`` columns."""
        observed = np.zeros((len(history.known), history.length + 1), np.int32)
        np.cumsum(history.known, axis=1, dtype=np.int32, out=observed[:, 1:])
        distance = _distances(history, step_seconds)
        past = observed[:, FIRST + 1 : -1] - observed[:, FIRST + 1 - SPREAD_STEPS : -1 - SPREAD_STEPS]
        distance[2 * past < SPREAD_STEPS] = np.inf
        kept = min(ANALOGS + horizon, distance.shape[1])
        nearest = np.argpartition(distance, kept - 1, axis=1)[:, :kept]
        reach = np.take_along_axis(distance, nearest, axis=1)
        order = np.argsort(reach, axis=1, kind="stable")
        column, reach = np.take_along_axis(nearest, order, axis=1), np.take_along_axis(reach, order, axis=1)
        return Candidates(column + FIRST, reach, observed, history.length)

    def known(self, horizon: int) -> Mask:
        """(series, candidate) whether enough of the ``horizon`` steps after each was observed."""
        ends = np.minimum(self.column + 1 + horizon, self.length)
        future = np.take_along_axis(self.observed, ends, axis=1)
        future = future - np.take_along_axis(self.observed, self.column + 1, axis=1)
        enough: Mask = (2 * future >= horizon) & (self.column + horizon < self.length) & np.isfinite(self.reach)
        return enough


@dataclass(frozen=True, slots=True)
class Nearest:
    """``column``: (series, analog) moments, the most alike first. ``reach``: (series, analog) how unlike now, inf = not
    usable. ``usable``: (series,) how many candidate moments there were.
    """

    column: Ints
    reach: Floats
    usable: Ints


def nearest_analogs(candidates: Candidates, horizon: int) -> Nearest:
    """The most alike moments whose next ``horizon`` columns lie in the past."""
    known = candidates.known(horizon)
    front = np.argsort(~known, axis=1, kind="stable")[:, :ANALOGS]
    reach = np.take_along_axis(np.where(known, candidates.reach, np.float32(np.inf)), front, axis=1)
    column = np.take_along_axis(candidates.column, front, axis=1)
    return Nearest(np.minimum(column, candidates.length - 1 - horizon), reach, known.sum(axis=1))


def find_analogs(candidates: Candidates, horizon: int) -> Analogs:
    """Equally likely analogs, drawn from the nearest by their likeness; any moment where none is usable."""
    nearest = nearest_analogs(candidates, horizon)
    weights = likeness(nearest.reach, SCALE_RANK, LEAST_SCALE)
    return Analogs(np.take_along_axis(nearest.column, _draw(weights), axis=1), nearest.usable)


def _distances(history: History, step_seconds: int) -> Floats:
    """(series, column) how unlike the last column the columns from ``FIRST`` on are, the last one left out: their
    course, their level and their hour.
    """
    candidates = np.arange(FIRST, history.length - 1)
    level, smooth = trailing_means(history.filled, LEVEL_STEPS, SPREAD_STEPS)
    distance = _course(history, len(candidates))
    distance += np.float32(LEVEL_WEIGHT) * np.abs(level[:, candidates] - level[:, -1:])
    distance /= smooth.std(axis=1, keepdims=True) + np.float32(1e-6)
    day = SECONDS_PER_DAY // step_seconds
    if history.length >= 2 * day:
        apart = (history.length - 1 - candidates) % day
        hours = np.minimum(apart, day - apart) / (day / 2)
        distance += (TIME_OF_DAY_WEIGHT * hours).astype(np.float32)
    return distance


def _course(history: History, count: int) -> Floats:
    """(series, column) weighted differences of the last steps, in the series' unit; the first value stands for what
    was before it.
    """
    padded = np.pad(history.filled, ((0, 0), (LAGS, 0)), "edge")
    total = np.zeros((len(padded), count), np.float32)
    gap = np.empty((NEAR_ROWS, count), np.float32)
    for row in range(0, len(padded), NEAR_ROWS):
        past, sums = padded[row : row + NEAR_ROWS], total[row : row + NEAR_ROWS]
        apart = gap[: len(past)]
        for lag in range(LAGS):
            begin = LAGS + FIRST - lag
            np.subtract(past[:, begin : begin + count], past[:, -1 - lag, None], out=apart)
            np.abs(apart, out=apart)
            apart *= np.float32(1 / (lag + 1))
            sums += apart
    return total


def likeness(reach: Floats, scale_rank: int, least_scale: float) -> Floats:
    """(series, analog) of sorted distances: 1 = the same as now, falling by e over the distance of the one of this rank
    and over ``least_scale``, and to zero at the last one; zero for candidates that are not usable.
    """
    finite = np.isfinite(reach)
    known = np.where(finite, reach, 0)
    widest = known.max(axis=1, keepdims=True) * np.float32(1.001) + np.float32(1e-9)
    near = known[:, min(scale_rank, reach.shape[1] - 1), None] + np.float32(least_scale)
    return np.where(finite, (1 - (known / widest) ** 2) * np.exp(-known / near), 0).astype(np.float32)


def _draw(weights: Floats) -> Ints:
    """(series, sample) positions, drawn systematically in proportion to the weights: no chance, no seed."""
    cumulative = np.cumsum(weights, axis=1, dtype=np.float64)
    total = cumulative[:, -1:]
    cumulative = np.where(total > 0, cumulative / np.where(total > 0, total, 1), 1.0)
    cumulative[:, -1] = 1
    upto = np.floor(cumulative * SAMPLES + 0.5).astype(np.int64)  # how many of the points (i + 1/2) / SAMPLES lie below
    times = np.diff(upto, axis=1, prepend=0)
    positions: Ints = np.tile(np.arange(weights.shape[1]), len(weights)).repeat(times.ravel())
    return positions.reshape(len(weights), SAMPLES)
