"""Rounding to significant digits: short numbers on the wire that lose nothing that matters."""

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


def round_significant(values: Doubles, digits: int) -> Doubles:
    """``values`` rounded to so many significant digits, each on its own.

    >>> round_significant(np.array([123.456789012, 0.000123456789, 0.0, np.nan]), 7).tolist()
    [123.4568, 0.0001234568, 0.0, nan]
    """
    return _rounded(values, np.abs(values), digits)


def round_alike(values: Doubles, digits: int) -> Doubles:
    """``values`` (series, …) rounded so that the largest of each series keeps so many significant digits.

    >>> round_alike(np.array([[98.7654, 0.0123456], [0.00123456, 0.001]]), 4).tolist()
    [[98.77, 0.01], [0.001235, 0.001]]
    """
    largest = np.abs(values).reshape(len(values), -1).max(axis=1, initial=0.0)
    return _rounded(values, largest.reshape(-1, *[1] * (values.ndim - 1)), digits)


def _rounded(values: Doubles, magnitude: Doubles, digits: int) -> Doubles:
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.floor(np.log10(magnitude))
    shift = digits - 1 - np.where(np.isfinite(exponent), exponent, 0)
    up, down = 10.0 ** np.clip(shift, 0, 300), 10.0 ** np.clip(-shift, 0, 300)
    rounded: Doubles = np.round(values * up / down) * down / up
    return rounded
