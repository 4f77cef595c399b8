"""Sample paths of the horizon: what followed the analogs, moved to where the series is now.

Analogs repeat what was seen. Where the present level or slope lies outside of what the analogs know (a disk that
fills, memory that leaks), their paths are shifted to the present level and the novel part of the slope goes on, for
an unknown time.
"""

from dataclasses import dataclass

import numpy as np

from argus_forecasting.forecaster import Floats, Ints, Mask
from argus_forecasting.statistical.analogs import Analogs
from argus_forecasting.statistical.history import History, slope_and_fit, trailing_mean

SLOPE_STEPS = 24
"""A slope is judged over two hours of five-minute steps."""
GOOD_FIT = 0.8
"""Share of variance that a line must explain before its slope is taken for a trend."""
USUAL_LEVEL = 0.98
"""Of the changes over two hours in the history: a steeper one is novel."""
LEVEL_STEPS = 6
ONE_SIDED = 0.8
"""Excess of analogs on one side of the present (1 = all of them) from which they no longer surround it."""


@dataclass(frozen=True, slots=True)
class Drifting:
    """The series whose last two hours a line explains. ``rows``: (drifting,) which. ``slope``: (drifting,) per column.
    ``level``: (drifting, time) smoothed. ``change``: (drifting, time) per column over the two hours from each column
    on. ``novel``: (drifting,) whether it is steeper than the series usually is.
    """

    rows: Ints
    slope: Floats
    level: Floats
    change: Floats
    novel: Mask

    @staticmethod
    def of(history: History) -> "Drifting":
        """Those of a history of more than two hours."""
        slope, fit = slope_and_fit(history.filled[:, -SLOPE_STEPS:])
        rows = np.flatnonzero(fit >= GOOD_FIT)
        values, slope = history.filled[rows], slope[rows]
        change: Floats = (values[:, SLOPE_STEPS:] - values[:, :-SLOPE_STEPS]) / np.float32(SLOPE_STEPS)
        usual = np.quantile(np.abs(change[:, :: SLOPE_STEPS // 4]), USUAL_LEVEL, axis=1)
        return Drifting(rows, slope, trailing_mean(values, LEVEL_STEPS), change, np.abs(slope) > usual)


def sample_paths(history: History, drifting: Drifting, analogs: Analogs, first: int, last: int) -> Floats:
    """(series, sample, lead) equally likely trajectories, leads ``first`` to ``last``."""
    leads = np.arange(first, last + 1)
    courses = np.lib.stride_tricks.sliding_window_view(history.filled, len(leads), axis=1)
    paths: Floats = courses[np.arange(len(history.filled))[:, None], analogs.column + first]
    if len(rows := drifting.rows):
        column = analogs.column[rows]
        paths[rows] += _level_shift(drifting, column)[:, :, None] + _trend(drifting, column, leads)
    return paths


def _level_shift(drifting: Drifting, column: Ints) -> Floats:
    """(drifting, sample) what brings each analog to the present level, where they all lie on one side of it: after a
    jump a series is as likely to jump back, and analogs know how often it did, so only drifting ones are shifted.
    """
    apart = drifting.level[:, -1:] - np.take_along_axis(drifting.level, column, axis=1)
    shift: Floats = (_one_sided(apart)[:, None] * apart).astype(np.float32)
    return shift


def _trend(drifting: Drifting, column: Ints, leads: Ints) -> Floats:
    """(drifting, sample, lead) the part of the present slope that the analogs do not know, going on for a while.

    How long is unknown: a process that has lasted ``e`` steps lasts at least ``d`` more with probability
    ``e / (e + d)`` (J. R. Gott, "Implications of the Copernican principle for our future prospects", 1993).
    """
    theirs = np.take_along_axis(drifting.change, np.maximum(column - SLOPE_STEPS, 0), axis=1)
    beyond = drifting.slope - theirs.mean(axis=1)
    strength = np.where(drifting.novel, _one_sided(drifting.slope[:, None] - theirs), 0)
    share = (np.arange(column.shape[1]) * 0.6180339887498949) % 1  # low-discrepancy, apart from the sort order
    lasts = SLOPE_STEPS * share / (1 - share)
    steps = np.minimum(leads[None, :], lasts[:, None])
    trend: Floats = ((strength * beyond)[:, None, None] * steps[None]).astype(np.float32)
    return trend


def _one_sided(apart: Floats) -> Floats:
    """(series,) 0 where the differences to the analogs surround zero, 1 where all of them have one sign."""
    excess = np.abs(np.sign(apart).mean(axis=1))
    share: Floats = np.clip((excess - ONE_SIDED) / (1 - ONE_SIDED), 0, 1).astype(np.float32)
    return share
