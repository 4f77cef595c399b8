"""The measures of how stale a forecast is: each with one meaning, a range, and a value that means "nothing changed".

All of them compare the same hours: give whole days on both sides, or the same hours of the week. NaN is missing; what
can't be told is NaN. Leading axes, such as (server, target), are kept.
"""

import numpy as np
import numpy.typing as npt

from argus_drift.domain.ranks import Floats, knots_of

SURE = (0.01, 0.99)
"""A value outside of these levels of its forecast is an anomaly: 2 in 100 are if all is well."""


def prediction_error_rate(loss: Floats, reference_loss: Floats) -> Floats:
    """PER, (…): mean pinball loss over that of the reference, ≥ 0; 1 = as good as then. NaN where that was perfect.

    Relative to the model's own error, so that a server that is hard to forecast is not called stale for it, and a value
    near zero can't make it explode as a percentage error does.

    Args:
        loss: (…, time) pinball losses lately.
        reference_loss: (…, time) those of the model's backtest or first week, at the same lead.

    >>> float(prediction_error_rate(np.float32([3, 1]), np.float32([1, 1, 1])))
    2.0
    """
    before = _mean(reference_loss)
    return np.divide(_mean(loss), before, out=np.full_like(before, np.nan), where=before > 0)


def distribution_shift(values: Floats, reference: Floats) -> Floats:
    """DSS, (…): mean difference of the distribution functions at the reference's quantiles, 0 … about 0.5; 0 = none.

    Args:
        values: (…, time) lately.
        reference: (…, time) of the reference.

    >>> same = np.arange(100, dtype=np.float32)
    >>> float(distribution_shift(same, same)), round(float(distribution_shift(same + 1000, same)), 1)
    (0.0, 0.5)
    """
    knots = knots_of(reference)
    return np.abs(_share_below(values, knots) - _share_below(reference, knots)).mean(axis=-1)  # type: ignore[no-any-return]


def feature_drift(values: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """FDS, (…) each: the mean's shift in standard deviations of the reference, and the logarithm of the ratio of the
    standard deviations; 0 = none. NaN where the reference is constant.

    Args:
        values: (…, time) lately.
        reference: (…, time) of the reference.

    >>> shift, spread = feature_drift(np.float32([3, 7]), np.float32([-1, 1]))
    >>> float(shift), round(float(np.exp(spread)), 6)
    (5.0, 2.0)
    """
    before, now = _deviation(reference), _deviation(values)
    known = before > 0
    unknown = np.full_like(before, np.nan)
    shift = np.divide(_mean(values) - _mean(reference), before, out=unknown.copy(), where=known)
    ratio = np.divide(now, before, out=unknown, where=known)
    return shift, np.log(ratio, out=np.full_like(ratio, -np.inf), where=~(ratio == 0))


def anomaly_rate(pit: Floats) -> Floats:
    """(…) share of the values outside of what their forecast was 98 % sure of, 0 … 1; 0.02 = as it should be.

    Args:
        pit: (…, time) where values fell in their forecasts, 0 … 1.
    """
    return _share((pit < SURE[0]) | (pit > SURE[1]), pit)


def coverage(pit: Floats, low: float = 0.1, high: float = 0.9) -> Floats:
    """(…) share of the values between two levels of their forecasts, 0 … 1; ``high`` − ``low`` = as it should be.

    Args:
        pit: (…, time) where values fell in their forecasts, 0 … 1.
        low: level of the band's lower end.
        high: level of its upper end.
    """
    return _share((pit >= low) & (pit <= high), pit)


def pit_distance(pit: Floats) -> Floats:
    """(…) largest difference between the distribution function of PITs and that of the uniform law (Kolmogorov's
    distance), 0 … 1; 0 = calibrated at every level.

    A p-value would be wrong: forecasts overlap, so their PITs depend on each other.

    Args:
        pit: (…, time) where values fell in their forecasts, 0 … 1.

    >>> round(float(pit_distance(np.float32([0.25, 0.75]))), 2), float(pit_distance(np.float32([1, 1])))
    (0.25, 1.0)
    """
    ordered = np.sort(pit, axis=-1)  # NaN goes last
    count = np.isfinite(pit).sum(axis=-1, keepdims=True)
    position = np.arange(pit.shape[-1])
    above, below = (position + 1) / np.maximum(count, 1) - ordered, ordered - position / np.maximum(count, 1)
    distance = np.fmax.reduce(np.fmax(above, below), axis=-1, initial=0)
    return np.where(count[..., 0] > 0, distance, np.nan).astype(np.float32)


def _share_below(values: Floats, knots: Floats) -> Floats:
    """(…, knot) share of what is known that is no larger than each knot."""
    shares = [_share(values <= knots[..., k, None], values) for k in range(knots.shape[-1])]
    return np.stack(shares, axis=-1)


def _share(flags: npt.NDArray[np.bool_], values: Floats) -> Floats:
    return _mean(np.where(np.isfinite(values), flags.astype(np.float32), np.float32(np.nan)))


def _mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0).sum(axis=-1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _deviation(values: Floats) -> Floats:
    return np.sqrt(_mean((values - _mean(values)[..., None]) ** 2))
