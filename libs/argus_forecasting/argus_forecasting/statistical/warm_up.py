"""The first hours of a series, before it has a past to look for analogs in: honest wide bands around the last value."""

import numpy as np
from scipy.special import ndtri

from argus_forecasting.forecaster import Floats
from argus_forecasting.statistical.history import History

USUAL_SPREAD = 0.1
"""Of the legal range, or of the value where there is none: the spread over the horizon before anything was learned."""
PATIENCE = 36
"""Steps after which what was seen weighs as much as what is usual."""


def warm_up_paths(history: History, lower: Floats, upper: Floats, horizon: int, samples: int) -> Floats:
    """(series, lead, sample) random-walk-like paths whose spread grows with the lead.

    The one-step spread comes from the differences seen so far, shrunk towards a usual one; a series that has not
    moved at all for an hour is taken for constant.
    """
    last = history.filled[:, -1]
    seen = history.known.sum(axis=1)
    moves, steps = _moves(history)
    room = np.where(np.isfinite(upper - lower), upper - lower, np.abs(last))
    usual = USUAL_SPREAD * room / np.sqrt(96)
    trust = seen / (seen + PATIENCE)
    learned = np.sqrt(moves / np.maximum(steps, 1))
    one_step = np.where((learned == 0) & (seen >= 12), 0, trust * learned + (1 - trust) * usual)
    growth = np.sqrt(np.arange(1, horizon + 1))
    widest = np.maximum(np.nan_to_num(_range(history)), USUAL_SPREAD * room)
    spread = np.minimum(one_step[:, None] * growth, np.where(one_step > 0, widest, 0)[:, None])
    points = ndtri((np.arange(samples) + 0.5) / samples)
    paths = last[:, None, None] + spread[:, :, None] * points[None, None, :]
    return np.asarray(paths, np.float32)


def _moves(history: History) -> tuple[Floats, Floats]:
    """Per series the sum of squared one-step moves and their number, over pairs that were both observed."""
    both = history.known[:, 1:] & history.known[:, :-1]
    squared = np.where(both, np.diff(history.filled, axis=1), 0) ** 2
    return squared.sum(axis=1), both.sum(axis=1).astype(np.float32)


def _range(history: History) -> Floats:
    values = np.where(history.known, history.filled, np.nan)
    empty = ~history.known.any(axis=1)
    values[empty] = 0
    return np.nanmax(values, axis=1) - np.nanmin(values, axis=1)  # type: ignore[no-any-return]
