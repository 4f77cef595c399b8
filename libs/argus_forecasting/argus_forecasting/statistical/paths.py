"""Sample paths of the horizon: what followed the analogs, moved to where the series is now.

Analogs repeat what was seen. Where the present level or slope lies outside of what the analogs know (a disk that
fills, memory that leaks), their paths are shifted to the present level and the novel part of the slope goes on, for
an unknown time.
"""

import numpy as np

from argus_forecasting.forecaster import Floats
from argus_forecasting.statistical.analogs import Analogs
from argus_forecasting.statistical.history import History, slope_and_fit, trailing_mean

SLOPE_STEPS = 24
"""A slope is judged over two hours of five-minute steps."""
GOOD_FIT = 0.8
"""Share of variance that a line must explain before its slope is taken for a trend."""
ONE_SIDED = 0.8
"""Excess of analogs on one side of the present (1 = all of them) from which they no longer surround it."""


def sample_paths(history: History, analogs: Analogs, horizon: int) -> Floats:
    """(series, lead, sample) equally likely trajectories."""
    rows = np.arange(len(history.filled))[:, None, None]
    leads = np.arange(1, horizon + 1)[None, :, None]
    paths: Floats = history.filled[rows, analogs.column[:, None, :] + leads]
    paths += _level_shift(history, analogs)[:, None, :]
    paths += _trend(history, analogs, horizon)
    return paths


def _level_shift(history: History, analogs: Analogs) -> Floats:
    """(series, sample) what brings each analog to the present level, where they all lie on one side of it and the
    series drifts: after a jump it is as likely to jump back, and analogs know how often it did.
    """
    level = trailing_mean(history.filled, 6)
    apart = level[:, -1:] - np.take_along_axis(level, analogs.column, axis=1)
    _, fit = slope_and_fit(history.filled[:, -SLOPE_STEPS:])
    drifting = np.where(fit >= GOOD_FIT, _one_sided(apart), 0)
    shift: Floats = (drifting[:, None] * apart).astype(np.float32)
    return shift


def _one_sided(apart: Floats) -> Floats:
    """(series,) 0 where the differences to the analogs surround zero, 1 where all of them have one sign."""
    excess = np.abs(np.sign(apart).mean(axis=1))
    share: Floats = np.clip((excess - ONE_SIDED) / (1 - ONE_SIDED), 0, 1).astype(np.float32)
    return share


def _trend(history: History, analogs: Analogs, horizon: int) -> Floats | float:
    """(series, lead, sample) the part of the present slope that the analogs do not know, going on for a while.

    How long is unknown: a process that has lasted ``e`` steps lasts at least ``d`` more with probability
    ``e / (e + d)`` (J. R. Gott, "Implications of the Copernican principle for our future prospects", 1993).
    """
    if history.length < 2 * SLOPE_STEPS:
        return 0.0
    slope, fit = slope_and_fit(history.filled[:, -SLOPE_STEPS:])
    level = history.filled
    change = (level[:, SLOPE_STEPS:] - level[:, :-SLOPE_STEPS]) / SLOPE_STEPS
    theirs = np.take_along_axis(change, np.maximum(analogs.column - SLOPE_STEPS, 0), axis=1)
    novel = slope - theirs.mean(axis=1)
    usual = np.quantile(np.abs(change[:, :: max(1, SLOPE_STEPS // 4)]), 0.98, axis=1)
    strength = np.where(
        (fit >= GOOD_FIT) & (np.abs(slope) > usual), _one_sided((slope[:, None] - theirs).astype(np.float32)), 0
    )
    active = np.flatnonzero(strength > 0)
    if len(active) == 0:
        return 0.0
    share = (np.arange(analogs.column.shape[1]) * 0.6180339887498949) % 1  # low-discrepancy, apart from the sort order
    lasts = SLOPE_STEPS * share / (1 - share)
    steps = np.minimum(np.arange(1, horizon + 1)[:, None], lasts[None, :])
    out = np.zeros((len(slope), horizon, len(lasts)), np.float32)
    out[active] = (strength * novel)[active, None, None] * steps[None]
    return out
