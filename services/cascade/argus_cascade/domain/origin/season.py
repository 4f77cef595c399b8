"""What the time of day explains."""

import numpy as np

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
    profile = _smoothed(_median(past), max(1, day // SMOOTHING))
    place = (np.arange(len(values)) - begin) % day
    change = profile - _median(profile)
    left = values - np.nan_to_num(change)[place]
    calmer = _spread(left[:begin]) < _spread(values[:begin])
    result: Floats = np.where(calmer, left, values)
    return result


def _smoothed(profile: Floats, width: int) -> Floats:
    """Means over ``width`` steps around each time of day, across midnight."""
    around = [np.roll(profile, shift - width // 2, axis=0) for shift in range(width)]
    seen = sum(np.isfinite(part).astype(np.float64) for part in around)
    total = sum(np.nan_to_num(part) for part in around)
    result: Floats = np.divide(total, seen, out=np.full(profile.shape, np.nan), where=np.asarray(seen) > 0)
    return result


def _median(values: Floats) -> Floats:
    known = np.isfinite(values).any(axis=0, keepdims=True)
    result: Floats = np.where(known[0], np.nanmedian(np.where(known, values, 0.0), axis=0), np.nan)
    return result


def _spread(values: Floats) -> Floats:
    distance = np.abs(values - _median(values))
    return _median(distance)
