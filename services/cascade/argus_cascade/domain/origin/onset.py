"""When each server departed, as a probability over the steps."""

import numpy as np

from argus_cascade.domain.tick import Floats

RISES = (1, 3, 6, 12, 24)
"""Steps over which a departure may grow to its full size; 1 = a jump."""
AMPLITUDE = 4.0
"""Sigmas: the spread of the sizes that a departure may have."""
TAKES_PART = 0.5
"""Prior chance that a metric of a departing server departs with it."""
CERTAIN = 30.0
"""Log odds beyond which nothing more is learned."""
LEAST_CHANCE = 1e-12
LARGEST = 6.0
"""Sigmas: what a single value may say at most."""


def onset_log_odds(surprise: Floats, persistence: float) -> Floats:
    """(step, server) log odds that the server departed from that step on, against that it never did.

    ``surprise``: (step, server, metric) z in the harmful direction, NaN = missing. ``persistence``: lag-1
    autocorrelation of healthy surprises, −1 … 1; both the surprises and the shapes are whitened by it, so that a
    noise that wanders is not taken for an onset. The size of a departure is integrated out (a Bayesian change point,
    Adams and MacKay, "Bayesian Online Changepoint Detection", 2007, with shapes in place of a constant).
    """
    noise = np.clip(surprise, -LARGEST, LARGEST)
    innovation = noise.copy()
    innovation[1:] = (noise[1:] - persistence * noise[:-1]) / np.sqrt(1 - persistence**2)
    seen = np.isfinite(innovation)
    flat = np.where(seen, innovation, 0.0).reshape(len(noise), -1)
    weight = seen.astype(np.float64).reshape(flat.shape)
    odds = [_shape_odds(shape, flat, weight) for shape in _shapes(len(noise), persistence)]
    by_metric = np.logaddexp.reduce(odds, axis=0) - np.log(len(RISES))
    mixed = np.logaddexp(np.log(1 - TAKES_PART), np.log(TAKES_PART) + by_metric)
    result: Floats = mixed.reshape(surprise.shape).sum(axis=2)
    return result


def persistence_of(surprise: Floats) -> float:
    """Lag-1 autocorrelation of all series together, 0 … 0.9, by first differences: a departure does not disturb it."""
    steps = np.diff(np.clip(surprise, -LARGEST, LARGEST), axis=0)
    both = np.isfinite(steps[1:]) & np.isfinite(steps[:-1])
    power = float(np.sum(steps[1:][both] ** 2))
    if power == 0:
        return 0.0
    return float(np.clip(1 + 2 * np.sum(steps[1:][both] * steps[:-1][both]) / power, 0.0, 0.9))


def _shapes(length: int, persistence: float) -> list[Floats]:
    """(onset, step) of each rise, whitened."""
    age = np.arange(length)[None, :] - np.arange(length)[:, None] + 1.0
    shapes = [np.clip(age / rise, 0.0, 1.0) for rise in RISES]
    return [(s - persistence * np.pad(s, ((0, 0), (1, 0)))[:, :-1]) / np.sqrt(1 - persistence**2) for s in shapes]


def _shape_odds(shape: Floats, innovation: Floats, seen: Floats) -> Floats:
    projection = np.maximum(shape @ innovation, 0.0)
    power = shape**2 @ seen
    result: Floats = projection**2 / (2 * (power + AMPLITUDE**-2)) - np.log1p(AMPLITUDE**2 * power) / 2
    return result


def departed_probability(odds: Floats) -> Floats:
    """(server,) that it departed at all, at even odds before; ``odds``: (step, server) of `onset_log_odds`."""
    total = np.logaddexp.reduce(odds, axis=0) - np.log(len(odds))
    result: Floats = 1 / (1 + np.exp(-np.clip(total, -CERTAIN, CERTAIN)))
    return result


def none_before(odds: Floats, counts: Floats) -> Floats:
    """(server,) the chance that, if this server departed, none of the others did so in an earlier step.

    ``odds``: (step, server) of `onset_log_odds`. ``counts``: (server, other) 0 … 1, how much the other counts beside
    the server.
    """
    at = np.exp(odds - odds.max(axis=0))
    at /= at.sum(axis=0)
    earlier = np.clip(np.cumsum(at, axis=0) - at, 0.0, 1.0)
    kept = np.log(np.maximum(1 - counts[None, :, :] * earlier[:, None, :], LEAST_CHANCE))
    others = kept.sum(axis=2) - np.diagonal(kept, axis1=1, axis2=2)
    result: Floats = (at * np.exp(others)).sum(axis=0)
    return result
