"""Quantiles to joint paths: the network says how likely, the analogs say in which order.

References:
    M. Clark et al., "The Schaake Shuffle: A Method for Reconstructing Space-Time Variability in Forecasted
    Precipitation and Temperature Fields", 2004. Here the ranks are those of the analogs' trajectories.
"""

from statistics import NormalDist

import numpy as np

from argus_forecasting.forecaster import Floats


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
    order = np.argsort(paths, axis=2, kind="stable")
    out = np.empty_like(drawn)
    np.put_along_axis(out, order, drawn, axis=2)
    return out
