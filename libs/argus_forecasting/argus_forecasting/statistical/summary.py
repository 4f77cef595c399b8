"""Paths to quantiles, breach probabilities and times to threshold."""

import numpy as np

from argus_forecasting.forecaster import CROSSING_LEVELS, WITHIN_MINUTES, Floats, Signs

PRIOR_PATHS = 0.5
"""Added to crossing and to staying paths alike (Jeffreys' prior): 70 paths can't tell never from once in a hundred."""


def quantiles_of(paths: Floats, levels: tuple[float, ...]) -> Floats:
    """(series, lead, level) quantiles of (series, lead, sample) paths, which are sorted in place.

    Hazen's rule: the k-th of n sorted samples is the quantile (k − 1/2)/n; between them linear.
    """
    paths.sort(axis=2)
    samples = paths.shape[2]
    position = np.clip(np.asarray(levels) * samples - 0.5, 0, samples - 1)
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, samples - 1)
    share = (position - below).astype(np.float32)
    low, high = paths[:, :, below], paths[:, :, above]
    quantiles: Floats = np.maximum.accumulate(low + (high - low) * share, axis=2)  # rounding must not make them cross
    return quantiles


def crossing_curve(paths: Floats, limit: Floats, harm: Signs) -> Floats:
    """(series, lead) probability that a path has crossed the limit at any step up to the lead; NaN = no limit.

    The path's own steps are kept together, since the steps of a horizon depend on each other: a probability from
    their marginals would be wrong.

    Args:
        paths: (series, lead, sample).
        limit: (series,), or (series, lead) where it is not the same at every lead.
        harm: (series,) +1 above the limit, −1 below it.
    """
    sign = harm.astype(np.float32)[:, None, None]
    at = limit[:, None, None] if limit.ndim == 1 else limit[:, :, None]
    beyond = _running_maximum((paths - at) * sign)
    crossed = (beyond >= 0).sum(axis=2)
    reachable, escapable = _doubts(beyond)
    curve = (crossed + PRIOR_PATHS * reachable) / (paths.shape[2] + PRIOR_PATHS * (reachable + escapable))
    rising = np.maximum.accumulate(curve, axis=1)  # the prior fades and returns with the spread; the truth only rises
    return np.where(np.isnan(at[:, :, 0]), np.nan, rising).astype(np.float32)


def _running_maximum(values: Floats) -> Floats:
    """Each path's largest value so far: (series, lead, sample), in place; ``accumulate`` takes five times as long."""
    for lead in range(1, values.shape[1]):
        np.maximum(values[:, lead - 1], values[:, lead], out=values[:, lead])
    return values


def _doubts(beyond: Floats) -> tuple[Floats, Floats]:
    """(series, lead) each, 0 … 1: how near the boldest path comes to a limit that none crosses, and the mildest path to
    one that all cross, in units of the paths' own spread on that side; the prior of a path unseen fades with it.

    Args:
        beyond: (series, lead, sample) by how much each path was beyond the limit at its worst so far.
    """
    ordered, middle = np.sort(beyond, axis=2), beyond.shape[2] // 2  # several times faster than a median
    mildest, boldest = ordered[:, :, 0], ordered[:, :, -1]
    usual = (ordered[:, :, middle] + ordered[:, :, -1 - middle]) / 2
    below = np.maximum(-boldest, 0) / (boldest - usual + 1e-6)
    above = np.maximum(mildest, 0) / (usual - mildest + 1e-6)
    return np.exp(-below), np.exp(-above)


def breaches(curve: Floats, step_seconds: int) -> tuple[Floats, Floats]:
    """(probability (series, within), time to threshold (series, level) in minutes) of crossing curves.

    A span shorter than a step counts as one step, one longer than the horizon as the horizon.
    """
    horizon = curve.shape[1]
    leads = [min(max(minutes * 60 // step_seconds, 1), horizon) - 1 for minutes in WITHIN_MINUTES]
    times = np.full((len(curve), len(CROSSING_LEVELS)), np.nan, np.float32)
    for column, level in enumerate(CROSSING_LEVELS):
        reached = curve >= level
        times[:, column] = np.where(reached.any(axis=1), (reached.argmax(axis=1) + 1) * step_seconds / 60, np.nan)
    return curve[:, leads], times
