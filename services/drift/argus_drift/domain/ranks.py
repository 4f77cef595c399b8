"""Where a value lies among those of a reference."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
KNOTS = 32
"""Reference quantiles that are kept of a series: a rank is exact to 1/64."""


def knots_of(samples: Floats) -> Floats:
    """(…, knot) quantiles at the middles of `KNOTS` equal parts of what is observed; NaN where nothing is.

    Args:
        samples: (…, time), NaN = missing.
    """
    ordered = np.sort(samples, axis=-1)  # NaN goes last
    count = np.isfinite(samples).sum(axis=-1, keepdims=True)
    at = np.floor((np.arange(KNOTS) + 0.5) / KNOTS * count).astype(np.int64)
    found = np.take_along_axis(ordered, np.minimum(at, samples.shape[-1] - 1), axis=-1)
    return np.where(count > 0, found, np.float32(np.nan))


def ranks(values: Floats, knots: Floats) -> Floats:
    """(…, step) share of the reference below a value, 0 … 1, half of what equals it counted; NaN stays NaN.

    Args:
        values: (…, step).
        knots: (…, knot), rising.

    >>> ranks(np.float32([[-1, 0.5, 9]]), np.float32([[0, 1]])).tolist()
    [[0.0, 0.5, 1.0]]
    """
    below = np.zeros(values.shape, np.float32)
    for knot in range(knots.shape[-1]):
        edge = knots[..., knot, None]
        below += edge < values
        below += edge <= values
    below /= 2 * knots.shape[-1]
    below[~np.isfinite(values)] = np.nan
    return below
