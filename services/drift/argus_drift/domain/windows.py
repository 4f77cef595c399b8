"""Means over the last hours, and how far they are outside of a reference's range."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from argus_drift.domain.ranks import Floats
from argus_drift.domain.rules import FLOOR, FORGIVEN_HOURS

ENOUGH = 0.75
"""Share of a window's hours that must be observed for a verdict."""


def mean(hours: Floats) -> Floats:
    """(server, channel) over (hour, server, channel); NaN where fewer than `ENOUGH` of the hours are known."""
    known = np.isfinite(hours)
    count = known.sum(axis=0)
    total = np.where(known, hours, 0).sum(axis=0, dtype=np.float32)
    means: Floats = np.where(count >= ENOUGH * len(hours), total / np.maximum(count, 1), np.float32(np.nan))
    return means


def last_means(hours: Iterable[Floats], spans: set[int]) -> dict[int, Floats]:
    """Span → `mean` over the newest so many hours, all of them in one pass.

    Args:
        hours: (server, channel) each, the newest first; as many as the longest span.
        spans: in hours.
    """
    found: dict[int, Floats] = {}
    total = count = np.zeros(1, np.float32)
    for span, hour in enumerate(hours, 1):
        known = np.isfinite(hour)
        total = total + np.where(known, hour, np.float32(0))
        count = count + known.astype(np.float32)
        if span in spans:
            unknown = np.float32(np.nan)
            found[span] = np.where(count >= ENOUGH * span, total / np.maximum(count, 1), unknown)
    return found


def means_within(hours: Floats, span: int) -> Floats:
    """(window, server, channel) `mean` of every ``span`` hours in a row, over (hour, server, channel)."""
    known = np.isfinite(hours)
    count, total = (_running(part, axis=0) for part in (known, np.where(known, hours, 0)))
    seen, sums = count[span:] - count[:-span], total[span:] - total[:-span]
    means: Floats = np.where(seen >= ENOUGH * span, sums / np.maximum(seen, 1), np.nan).astype(np.float32)
    return means


def excess(means: Floats, low: Floats, high: Floats) -> Floats:
    """How far outside of [low, high], in widths plus `FLOOR`; negative inside.

    >>> excess(np.float32([0.9]), np.float32([0.3]), np.float32([0.5])).round(2).tolist()
    [1.0]
    """
    beyond: Floats = np.maximum(means - high, low - means) / (high - low + np.float32(FLOOR))
    return beyond


def forgiving_excess(hours: Floats, low: Floats, high: Floats) -> Floats:
    """(row,) the least excess, whichever `FORGIVEN_HOURS` hours in a row are left out, or none.

    Args:
        hours: (row, hour), NaN = missing.
        low: (row,).
        high: (row,).
    """
    known = np.isfinite(hours)
    total = _running(np.where(known, hours, 0))
    count = _running(known)
    begin = np.arange(hours.shape[1] - FORGIVEN_HOURS + 1)
    left_out = total[:, begin + FORGIVEN_HOURS] - total[:, begin]
    fewer = count[:, begin + FORGIVEN_HOURS] - count[:, begin]
    rest = (total[:, -1:] - left_out) / np.maximum(count[:, -1:] - fewer, 1)
    means = np.concatenate((total[:, -1:] / np.maximum(count[:, -1:], 1), rest), axis=1).astype(np.float32)
    least: Floats = excess(means, low[:, None], high[:, None]).min(axis=1)
    return least


def _running(values: npt.NDArray[np.generic], axis: int = 1) -> npt.NDArray[np.float64]:
    """Sums along an axis, from nothing on."""
    sums = np.cumsum(values, axis=axis, dtype=np.float64)
    return np.concatenate((np.zeros_like(sums.take([0], axis=axis)), sums), axis=axis)
