"""Columns computed from histories: filled values, trailing means and slopes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_forecasting.forecaster import Floats, Ints, Mask


@dataclass(frozen=True, slots=True)
class History:
    """Histories of one chunk. ``filled``: (series, time), each gap holds the last known value, leading gaps the first.
    ``known``: (series, time). ``first``: (series,) column of the first known value; equals time where none is.
    """

    filled: Floats
    known: Mask
    first: Ints

    @property
    def length(self) -> int:
        """Columns."""
        return int(self.filled.shape[1])

    @staticmethod
    def of(values: Floats) -> "History":
        """The history in ``values`` (series, time), NaN = missing. A series without any value is all zero."""
        known = ~np.isnan(values)
        first = np.where(known.any(axis=1), known.argmax(axis=1), values.shape[1])
        if known.all():
            return History(values, known, first)
        index = np.where(known, np.arange(values.shape[1], dtype=np.int32), 0)
        np.maximum.accumulate(index, axis=1, out=index)
        index = np.maximum(index, np.minimum(first, values.shape[1] - 1)[:, None].astype(np.int32))
        filled = np.take_along_axis(values, index, axis=1)
        return History(np.nan_to_num(filled, nan=0.0), known, first)


def trailing_mean(values: Floats, width: int) -> Floats:
    """(series, time) mean of the last ``width`` columns up to and including each; fewer at the beginning."""
    return trailing_means(values, width)[0]


def trailing_means(values: Floats, *widths: int) -> list[Floats]:
    """`trailing_mean` of each width."""
    total = np.cumsum(values, axis=1, dtype=np.float64)
    return [_mean_of_last(total, width) for width in widths]


def _mean_of_last(total: npt.NDArray[np.float64], width: int) -> Floats:
    mean = np.empty(total.shape, np.float32)
    first = np.arange(1, min(width, total.shape[1]) + 1)
    np.divide(total[:, :width], first, out=mean[:, :width], casting="same_kind")
    np.divide(total[:, width:] - total[:, :-width], width, out=mean[:, width:], casting="same_kind")
    return mean


def slope_and_fit(values: Floats) -> tuple[Floats, Floats]:
    """Least-squares slope per column, and the share of variance that the line explains (0 … 1).

    Args:
        values: (series, time) the columns to fit.
    """
    x = np.arange(values.shape[1], dtype=np.float32)
    x -= x.mean()
    centred = values - values.mean(axis=1, keepdims=True)
    slope = centred @ x / (x @ x)
    total = (centred**2).sum(axis=1)
    explained = slope**2 * (x @ x)
    return slope.astype(np.float32), np.where(total > 0, explained / np.maximum(total, 1e-12), 0.0).astype(np.float32)
