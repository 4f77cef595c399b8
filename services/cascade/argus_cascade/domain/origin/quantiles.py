"""Quantiles over time that leave out what is missing."""

import numpy as np

from argus_cascade.domain.tick import Floats


def quantiles(values: Floats, *levels: float) -> Floats:
    """(level, …) linearly interpolated quantiles over the first axis; 0 where nothing is known.

    numpy's nanquantile goes through the series one by one and takes fifty times as long.
    """
    known = np.isfinite(values)
    ordered = np.sort(np.where(known, values, np.inf), axis=0)
    last = np.maximum(known.sum(axis=0) - 1, 0)
    found = []
    for level in levels:
        place = level * last
        low = np.floor(place).astype(np.int64)
        pair = [np.take_along_axis(ordered, at[None], axis=0)[0] for at in (low, np.minimum(low + 1, last))]
        below, above = (np.where(np.isfinite(part), part, 0.0) for part in pair)
        found.append(below + (above - below) * (place - low))
    result: Floats = np.stack(found)
    return result


def median(values: Floats) -> Floats:
    """Over the first axis; 0 where nothing is known."""
    result: Floats = quantiles(values, 0.5)[0]
    return result
