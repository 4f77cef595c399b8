"""What is remembered of a series between origins, as arrays over the series, or as rows of numbers to be kept."""

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np

from argus_forecasting.forecaster import Floats, Mask

LONG = 1e6
"""Steps: as good as never. Ages are kept as float32, which is exact up to sixteen times as much."""


class Phase(IntEnum):
    """Where an alarm stands."""

    NONE = 0
    EXPECTED = 1
    BREACHED = 2


@dataclass(slots=True)
class AlarmState:
    """(series,) each, but ``met``. Ages and counts are in steps, seen from the origin that the state belongs to.

    ``phase``: see `Phase`. ``since``: age of the last raising. ``crossed``: age of the crossing, NaN = not yet.
    ``left``: steps that are left of the promise. ``promise``: which one stands. ``faded``: steps for which no promise
    was near. ``hot``: steps beyond the limit up to now. ``calm``: steps since the limit was last seen crossed.
    ``peak``: highest probability of a promise in this alarm. ``held``: 1 = someone acted, nothing is raised before it
    has calmed. ``unseen``: age of the newest value. ``late``: 1 = raised after the crossing. ``met``: (series, promise)
    origins in a row at which each promise was met.
    """

    phase: Floats
    since: Floats
    crossed: Floats
    left: Floats
    promise: Floats
    faded: Floats
    hot: Floats
    calm: Floats
    peak: Floats
    held: Floats
    unseen: Floats
    late: Floats
    met: Floats

    @staticmethod
    def width(promises: int) -> int:
        """Numbers in a row."""
        return len(fields(AlarmState)) - 1 + promises

    @staticmethod
    def new(size: int, promises: int) -> "AlarmState":
        """Of series that were never looked at."""
        row = np.zeros((size, AlarmState.width(promises)), np.float32)
        state = AlarmState.from_rows(row)
        state.since, state.calm = np.full((2, size), LONG, np.float32)
        state.crossed = np.full(size, np.nan, np.float32)
        return state

    @staticmethod
    def from_rows(rows: Floats) -> "AlarmState":
        """The inverse of `rows`."""
        names = [field.name for field in fields(AlarmState)[:-1]]
        columns = dict(zip(names, rows[:, : len(names)].T.copy(), strict=True))
        return AlarmState(**columns, met=rows[:, len(names) :].copy())

    def rows(self) -> Floats:
        """(series, width) float32."""
        scalars = [getattr(self, field.name) for field in fields(self)[:-1]]
        return np.column_stack([*scalars, self.met]).astype(np.float32)

    def standing(self) -> Mask:
        """(series,) whether an alarm stands."""
        standing: Mask = self.phase > Phase.NONE
        return standing
