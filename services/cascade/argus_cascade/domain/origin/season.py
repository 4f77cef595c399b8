"""What the time of day explains."""

import numpy as np

from argus_cascade.domain.origin.quantiles import median
from argus_cascade.domain.tick import Floats

FEWEST_DAYS = 3
"""Days before the incident from which a time of day is known."""
SMOOTHING = 24
"""A day has this many stretches; within one the profile is smoothed, so that it is made of more than a few values."""


def without_season(values: Floats, begin: int, day: int) -> Floats:
    """(step, server, metric) values minus their daily profile, plus its middle, where that makes the past calmer.

    The profile is the median over the days before ``begin`` at the same time of day, smoothed. ``day``: steps in a day.
    With fewer than ``FEWEST_DAYS`` before ``begin`` nothing is changed.
    """
    days = begin // day
    if days < FEWEST_DAYS:
        return values
    past = values[begin - days * day : begin].reshape(days, day, *values.shape[1:])
    profile = _smoothed(median(past), max(1, day // SMOOTHING))
    place = (np.arange(len(values)) - begin) % day
    left = values - (profile - median(profile))[place]
    calmer = _spread(left[:begin]) < _spread(values[:begin])
    result: Floats = np.where(calmer, left, values)
    return result


def _smoothed(profile: Floats, width: int) -> Floats:
    """Means over ``width`` steps around each time of day, across midnight."""
    result: Floats = np.mean([np.roll(profile, shift - width // 2, axis=0) for shift in range(width)], axis=0)
    return result


def _spread(values: Floats) -> Floats:
    distance = np.abs(values - median(values))
    return median(distance)
