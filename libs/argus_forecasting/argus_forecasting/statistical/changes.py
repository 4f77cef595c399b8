"""What may follow whatever the analogs say: any change of the week, from where the series is now.

Analogs that agree with each other are too sure: a machine that has idled for days starts a job at an hour at which it
never did. So a few paths of every forecast repeat changes that followed moments unlike the present one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_forecasting.forecaster import Floats, Ints
from argus_forecasting.statistical.history import History

CHANGES = 6
"""Such paths, beside 64 from analogs: more of them make bands too wide, fewer leave bursts out of them (README.md)."""
MOMENTS = 128
"""Moments of the history, evenly spread, from whose changes they are taken."""


@dataclass(frozen=True, slots=True)
class Changes:
    """``total``: (series, time + 1) sums of the values before each column."""

    history: History
    total: npt.NDArray[np.float64]

    @staticmethod
    def of(history: History) -> "Changes":
        """Those of a history."""
        total = np.zeros((len(history.filled), history.length + 1))
        np.cumsum(history.filled, axis=1, dtype=np.float64, out=total[:, 1:])
        return Changes(history, total)

    def paths(self, first: int, last: int) -> Floats:
        """(series, sample, lead) trajectories of the leads ``first`` to ``last``: changes that followed moments of the
        past, low and high ones in their proportion, within what the series has been.
        """
        filled = self.history.filled
        rows, moments = np.arange(len(filled))[:, None], self._moments(first, last)
        courses = np.lib.stride_tricks.sliding_window_view(filled, last - first + 1, axis=1)
        paths = courses[rows, moments + first]
        paths += (filled[:, -1:] - filled[rows, moments])[:, :, None]
        lowest, highest = filled.min(axis=1)[:, None, None], filled.max(axis=1)[:, None, None]
        clipped: Floats = np.clip(paths, lowest, highest, out=paths)
        return clipped

    def _moments(self, first: int, last: int) -> Ints:
        """(series, sample) columns in the order of the mean change over these leads, equal shares of the moments
        between one and the next.
        """
        begin = np.minimum(self.history.first, self.history.length - 1 - last)
        room = self.history.length - 1 - last - begin
        spread = begin[:, None] + room[:, None] * np.arange(MOMENTS) // (MOMENTS - 1)
        ahead = np.take_along_axis(self.total, spread + last + 1, axis=1)
        ahead -= np.take_along_axis(self.total, spread + first, axis=1)
        change = ahead / (last - first + 1) - np.take_along_axis(self.history.filled, spread, axis=1)
        middles = np.arange(CHANGES) * MOMENTS // CHANGES + MOMENTS // CHANGES // 2
        middle = np.argsort(change, axis=1, kind="stable")[:, middles]
        chosen: Ints = np.take_along_axis(spread, middle, axis=1)
        return chosen
