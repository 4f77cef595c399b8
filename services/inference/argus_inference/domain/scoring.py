"""How earlier forecasts did for the step that has just closed."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from argus_common.events import SCORED_LEADS
from argus_forecasting.forecaster import Floats, Mask

BAND = (0.1, 0.9)
"""Levels between which eight of ten values should fall."""

SMALLEST_CHANCE = 2.0**-53
"""Of a value beyond: the least that keeps a PIT apart from 1 in double precision."""

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """(server, target, lead) each, NaN where there was no forecast or no value. ``inside``: 1 within the band, else 0.

    ``naive``: (server, target) pinball loss of yesterday's value at the same time, taken as a certain forecast.
    """

    pit: Doubles
    residual: Doubles
    pinball: Doubles
    inside: Doubles
    naive: Doubles


def kept(quantiles: Floats, seen: Mask) -> Floats:
    """(server, target, scored lead, level) what later steps will be scored against, NaN = nothing.

    Args:
        quantiles: (server, target, lead, level) from lead 1 on.
        seen: (server, target) whether there is a forecast.
    """
    horizon = quantiles.shape[2]
    picked = quantiles[:, :, [min(lead, horizon) - 1 for lead in SCORED_LEADS]].copy()
    picked[:, :, [lead > horizon for lead in SCORED_LEADS]] = np.nan
    picked[~seen] = np.nan
    return picked


def score(quantiles: Floats, levels: tuple[float, ...], value: Floats, yesterday: Floats) -> Scores:
    """Score forecasts that were made ``SCORED_LEADS`` steps ago.

    Args:
        quantiles: (server, target, lead, level) of the earlier forecasts, NaN = none.
        levels: (level,) rising, with the median and the ends of the band.
        value: (server, target) what came, NaN = nothing.
        yesterday: (server, target) what there was at the same time of the day before, NaN = nothing.

    The PIT is the level at which the value lies between the quantiles, linear in between; where quantiles coincide
    with the value, the middle of the levels they span. Beyond the outer ones the tail is exponential, as steep as
    between the two outermost of them (or over the whole forecast, where those coincide), so that the size of a
    surprise is kept: strictly inside (0, 1). Of a forecast without spread it is 0 or 1.

    References:
        A. P. Dawid, "Present position and potential developments: some personal views. Statistical theory: the
        prequential approach", 1984. Where the forecast distribution has a jump, the randomised PIT is replaced by its
        mean, so that the same input gives the same score.
    """
    steps = np.asarray(levels)
    gap = (value[:, :, None, None] - quantiles).astype(np.float64)
    missing = np.isnan(gap).any(axis=3)
    low, high = (gap[..., levels.index(level)] for level in BAND)
    return Scores(
        np.where(missing, np.nan, _pit(quantiles, steps, value)),
        gap[..., levels.index(0.5)],
        _pinball(gap, steps),
        np.where(missing, np.nan, (low >= 0) & (high <= 0)),
        _pinball((value - yesterday)[:, :, None].astype(np.float64), steps),
    )


def _pinball(gap: Doubles, levels: Doubles) -> Doubles:
    """Mean over the levels (last axis) of the pinball loss; ``gap`` = value − quantile."""
    loss: Doubles = np.maximum(levels * gap, (levels - 1) * gap).mean(axis=-1)
    return loss


def _pit(quantiles: Floats, steps: Doubles, value: Floats) -> Doubles:
    y = value[:, :, None, None]
    under = (quantiles < y).sum(axis=3)
    upto = (quantiles <= y).sum(axis=3)
    bounds = np.concatenate([[0.0], steps, [1.0]])
    lowest = np.where(under < upto, bounds[np.minimum(under + 1, len(steps))], bounds[under])
    highest = np.where(under < upto, bounds[upto], bounds[under + 1])
    left = np.take_along_axis(quantiles, np.maximum(under - 1, 0)[..., None], axis=3)[..., 0]
    right = np.take_along_axis(quantiles, np.minimum(under, len(steps) - 1)[..., None], axis=3)[..., 0]
    between = (under > 0) & (under < len(steps)) & (under == upto)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(between, (value[:, :, None] - left) / (right - left), 0.5)
    pit: Doubles = lowest + np.clip(np.nan_to_num(share, nan=0.5), 0, 1) * (highest - lowest)
    above, below = (under == upto) & (under == len(steps)), (under == upto) & (under == 0)
    pit = np.where(above, 1 - _tail(quantiles, steps, value), pit)
    return np.where(below, _tail(-quantiles[..., ::-1], 1 - steps[::-1], -value), pit)


def _tail(quantiles: Floats, steps: Doubles, value: Floats) -> Doubles:
    """(server, target, lead) chance of a value beyond ``value``, which lies above all quantiles; 0 without spread."""
    made = quantiles.astype(np.float64)
    first, next_to_last, last = made[..., 0], made[..., -2], made[..., -1]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        outer = (last - next_to_last) / np.log((1 - steps[-2]) / (1 - steps[-1]))
        whole = (last - first) / np.log((1 - steps[0]) / (1 - steps[-1]))
        scale = np.where(outer > 0, outer, whole)
        chance = (1 - steps[-1]) * np.exp(-(value[:, :, None] - last) / scale)
    return np.where(scale > 0, np.maximum(chance, SMALLEST_CHANCE), 0.0)


@dataclass(slots=True)
class RunningMean:
    """Means over servers and recent steps: a step counts ``keep`` times as much as the one after it.

    The same whatever the order and the groups in which the servers of a step come.
    """

    keep: float = 0.98
    """Fifty steps, four hours of five minutes, dominate."""
    _step: int = 0
    _sum: Doubles | None = None
    _count: Doubles | None = None

    def add(self, values: Doubles, step: int) -> None:
        """Count ``values`` (server, …) of ``step``, NaN = none."""
        known = ~np.isnan(values)
        total, count = np.where(known, values, 0).sum(axis=0), known.sum(axis=0).astype(np.float64)
        if self._sum is None or self._count is None:
            self._sum, self._count, self._step = total, count, step
            return
        faded = self.keep ** max(0, step - self._step)
        self._sum, self._count = self._sum * faded + total, self._count * faded + count
        self._step = max(self._step, step)

    def mean(self) -> Doubles:
        """(…) NaN where nothing was counted."""
        if self._sum is None or self._count is None:
            return np.array(np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self._count > 0, self._sum / self._count, np.nan)


@dataclass(slots=True)
class RunningScores:
    """Live coverage and pinball loss per (target, lead), and of the naive forecast per (target,)."""

    coverage: RunningMean = field(default_factory=RunningMean)
    pinball: RunningMean = field(default_factory=RunningMean)
    naive: RunningMean = field(default_factory=RunningMean)

    def add(self, scores: Scores, step: int) -> None:
        """Count the scores of a group of servers."""
        self.coverage.add(scores.inside, step)
        self.pinball.add(scores.pinball, step)
        self.naive.add(scores.naive, step)
