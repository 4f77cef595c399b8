"""What the same hours of the last days were like."""

import numpy as np

from argus_forecasting.forecaster import Floats

DAYS = 7
KINDS = ("yesterday", "oldest", "median", "lowest", "highest")
"""Inputs per knot; oldest is the same weekday where a week is known."""


def past_days(filled: Floats, day: int, knots: tuple[int, ...]) -> Floats:
    """(window, knot, kind) means of the steps up to each knot on the last days; see `KINDS`.

    A history shorter than a day stands for yesterday as it is.

    Args:
        filled: (window, time) without gaps.
        day: steps of a day.
        knots: leads, rising; a knot stands for the leads after the knot before it.
    """
    length = filled.shape[1]
    period = day * -(-knots[-1] // day)  # whole days, so that the hours agree and nothing after the origin is needed
    days = max(1, min(DAYS, length // period))
    starts = [max(0, length - period * k) for k in range(1, days + 1)]
    total = np.concatenate([np.zeros((len(filled), 1)), np.cumsum(filled, axis=1, dtype=np.float64)], axis=1)
    ends = np.minimum(np.array(starts)[:, None] + np.array(knots)[None, :], length)
    begins = np.minimum(np.array(starts)[:, None] + np.array((0, *knots[:-1]))[None, :], length - 1)
    ends = np.maximum(ends, begins + 1)
    means = ((total[:, ends] - total[:, begins]) / (ends - begins)).astype(np.float32)
    median, low, high = np.median(means, axis=1), means.min(axis=1), means.max(axis=1)
    return np.stack([means[:, 0], means[:, -1], median, low, high], axis=2)
