"""Quantiles to joint paths: the network says how likely, the analogs say in which order.

References:
    M. Clark et al., "The Schaake Shuffle: A Method for Reconstructing Space-Time Variability in Forecasted
    Precipitation and Temperature Fields", 2004. Here the ranks are those of the analogs' trajectories.
"""

from statistics import NormalDist

import numpy as np

from argus_forecasting.forecaster import Floats, Ints

MAX_SAMPLES = 256
"""Positions take eight bits of a key."""


def interpolated(quantiles: Floats, levels: tuple[float, ...], wanted: tuple[float, ...]) -> Floats:
    """(series, lead, wanted) quantiles at other levels: linear in the normal score, flat beyond the outermost.

    Args:
        quantiles: (series, lead, level), rising.
        levels: of ``quantiles``, rising.
        wanted: levels to give.

    >>> interpolated(np.array([[[0.0, 1.0, 2.0]]], np.float32), (0.1, 0.5, 0.9), (0.05, 0.5, 0.9)).tolist()
    [[[0.0, 1.0, 2.0]]]
    """
    if wanted == levels:
        return quantiles
    scores = [NormalDist().inv_cdf(level) for level in levels]
    at = [NormalDist().inv_cdf(level) for level in wanted]
    weights = np.stack([np.interp(at, scores, row) for row in np.eye(len(levels))]).astype(np.float32)
    out: Floats = np.maximum.accumulate(quantiles @ weights, axis=2)
    return out


def joint_paths(paths: Floats, quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """(series, lead, sample) paths with the marginals of ``quantiles`` and the ranks of ``paths`` at every lead.

    Args:
        paths: (series, lead, sample) trajectories that know how the steps of a horizon depend on each other.
        quantiles: (series, lead, level) the marginals wanted.
        levels: of ``quantiles``.
    """
    samples = paths.shape[2]
    drawn = interpolated(quantiles, levels, tuple((np.arange(samples) + 0.5) / samples))
    out = np.empty_like(drawn)
    np.put_along_axis(out, ascending(paths), drawn, axis=2)
    return out


def ascending(paths: Floats) -> Ints:
    """(series, lead, sample) the samples from lowest to highest, equal ones in their order.

    What a stable argsort gives, in a quarter of the time: value and position are sorted as one whole number.

    >>> ascending(np.array([[[0.5, -2.0, 0.5, -0.0]]], np.float32)).tolist()
    [[[1, 3, 0, 2]]]
    """
    if paths.shape[2] > MAX_SAMPLES:
        raise ValueError(f"{paths.shape[2]} samples, at most {MAX_SAMPLES} can be told apart")
    bits = (paths + np.float32(0)).view(np.int32)  # adding zero makes −0 the 0 that it equals
    rising = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))  # as whole numbers in the order of the floats
    keys: Ints = (rising.astype(np.int64) << 8) | np.arange(paths.shape[2])
    keys.sort(axis=2)
    keys &= MAX_SAMPLES - 1
    return keys
