"""Whose course runs ahead of the others'."""

import numpy as np

from argus_cascade.domain.tick import Floats

LAGS = range(1, 7)
"""Steps by which an effect may follow."""
ENOUGH_STEPS = 12
"""Below this a correlation at a lag means nothing."""


def lead(course: Floats, weight: Floats) -> Floats:
    """(server,) −1 … 1: how much better its course foretells those of the others than theirs foretell its own.

    ``course``: (step, server) one surprise of each server, NaN = missing. ``weight``: (server,) how much each counts.
    The best correlation over the lags one way less the best the other way (time-lagged cross-correlation).
    """
    if len(course) < ENOUGH_STEPS:
        return np.zeros(course.shape[1])
    seen = np.isfinite(course)
    centred = np.where(seen, course - np.where(seen, course, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1), 0.0)
    size = np.sqrt((centred**2).sum(axis=0))
    unit = np.divide(centred, size, out=np.zeros_like(centred), where=size > 0)
    ahead = np.max([unit[:-lag].T @ unit[lag:] for lag in LAGS], axis=0)
    others = weight[None, :] * (1 - np.eye(len(weight)))
    total = np.maximum(others.sum(axis=1), 1e-9)
    result: Floats = ((ahead - ahead.T) * others).sum(axis=1) / total
    return result
