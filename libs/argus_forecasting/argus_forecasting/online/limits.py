"""Where a limit lies for paths that were drawn before their bands were corrected.

A correction of quantiles is a rising map of values, lead by lead. A corrected path is beyond the limit exactly where
the path as drawn is beyond what the map takes to the limit, so paths need not be moved to be counted.
"""

import numpy as np

from argus_forecasting.forecaster import Floats, Ints, Signs


def limit_before(limit: Floats, harm: Signs, raw: Floats, moved: Floats) -> Floats:
    """(series, lead) the value that a correction takes to the limit; the limit itself where nothing was moved.

    Between quantiles the map is linear, beyond the outermost it shifts as they do.

    Args:
        limit: (series,) NaN = none.
        harm: (series,) +1 above it, −1 below it.
        raw: (series, lead, level) quantiles before the correction.
        moved: (series, lead, level) quantiles after it.
    """
    sign = harm.astype(np.float32)
    low, high = _rising(raw, sign), _rising(moved, sign)
    wanted = np.broadcast_to((limit * sign)[:, None], high.shape[:2])
    right = np.clip((high < wanted[..., None]).sum(axis=2), 1, high.shape[2] - 1)
    (a, b), (c, d) = _ends(low, right), _ends(high, right)
    share = np.where(d > c, (wanted - c) / np.where(d > c, d - c, 1), 0)
    inside = a + np.clip(share, 0, 1) * (b - a)
    found = np.where(wanted > d, wanted - (d - b), np.where(wanted < c, wanted - (c - a), inside))
    still = (a == c) & (b == d)
    return (np.where(still, wanted, found) * sign[:, None]).astype(np.float32)


def _rising(quantiles: Floats, sign: Floats) -> Floats:
    """Quantiles in the direction of harm, rising again."""
    signed: Floats = quantiles * sign[:, None, None]
    return np.where(sign[:, None, None] < 0, signed[..., ::-1], signed)


def _ends(values: Floats, right: Ints) -> tuple[Floats, Floats]:
    """The two neighbours of each place."""
    at = right[..., None]
    return np.take_along_axis(values, at - 1, axis=2)[..., 0], np.take_along_axis(values, at, axis=2)[..., 0]
