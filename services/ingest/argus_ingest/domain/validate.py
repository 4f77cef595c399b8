"""Checks whole columns at once; only what is refused costs anything per sample."""

import numpy as np
import numpy.typing as npt

from argus_common.metrics import Catalogue
from argus_ingest.domain.verdicts import Verdicts

_FLOAT32_MAX = float(np.finfo(np.float32).max)


class Validator:
    """Refuses what is not finite, outside the legal range of its metric, or ahead of the wall clock."""

    def __init__(self, catalogue: Catalogue, max_future_ms: int) -> None:
        received = catalogue.received()
        self._names = [metric.name for metric in received]
        self._lower = np.array([max(metric.lower, -_FLOAT32_MAX) for metric in received])
        self._upper = np.array([min(metric.upper, _FLOAT32_MAX) for metric in received])
        self._max_future_ms = max_future_ms

    def check_times(
        self,
        time_ms: npt.NDArray[np.int64],
        server: npt.NDArray[np.int32],
        source: npt.NDArray[np.int64],
        now_ms: int,
        verdicts: Verdicts,
    ) -> None:
        """Mark rows (``server`` = −1) whose clock is more than the allowed skew ahead of ours."""
        ahead = (time_ms > now_ms + self._max_future_ms) & (server >= 0)
        for row in np.flatnonzero(ahead).tolist():
            seconds = (int(time_ms[row]) - now_ms) / 1000
            verdicts.reject(int(source[row]), "future_clock", f"event time is {seconds:.0f} s ahead of our clock")
        server[ahead] = -1

    def check_values(
        self,
        matrix: npt.NDArray[np.float64],
        server: npt.NDArray[np.int32],
        source: npt.NDArray[np.int64],
        verdicts: Verdicts,
    ) -> None:
        """Blank (NaN) the values of ``matrix`` (row, metric) that are not legal. Absent ones are NaN already."""
        with np.errstate(invalid="ignore"):
            bad = (matrix < self._lower) | (matrix > self._upper)
        if not bad.any():
            return
        for row, column in np.argwhere(bad).tolist():
            if server[row] >= 0:
                verdicts.reject(int(source[row]), *self._reason(column, float(matrix[row, column])))
        matrix[bad] = np.nan

    def _reason(self, column: int, value: float) -> tuple[str, str]:
        if not np.isfinite(value):
            return "not_finite", f"{self._names[column]}: {value}"
        legal = f"{self._lower[column]:g} to {self._upper[column]:g}"
        return "out_of_range", f"{self._names[column]}: {value:g}, legal is {legal}"
