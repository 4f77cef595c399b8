"""Batch forecasts of a recorded trace: for each origin only what was known at it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from argus_common.metrics import Catalogue, Metric
from argus_forecasting.forecaster import Floats, ForecastBatch, Forecaster, Ints, SeriesBatch
from argus_forecasting.grid import Grid

CHUNK = 512
"""Windows forecast at once; bounds memory whatever the number of origins."""


@dataclass(frozen=True, slots=True)
class Origins:
    """Windows of one metric: ``server`` (window,) row of the grid, ``column`` (window,) the last step known."""

    server: Ints
    column: Ints

    def part(self, rows: slice) -> "Origins":
        """Some of them."""
        return Origins(self.server[rows], self.column[rows])

    def __len__(self) -> int:
        return len(self.server)


@dataclass(frozen=True, slots=True)
class Request:
    """What to forecast. ``limits``: values at which a metric hurts, in place of the catalogue's."""

    horizon: int
    levels: tuple[float, ...]
    limits: Mapping[str, float]


def described(metric: str, catalogue: Catalogue, request: Request) -> Metric:
    """The catalogue's metric with the request's limit; a limit without a direction hurts when it is passed upwards."""
    known = catalogue.get(metric)
    limit = request.limits.get(metric)
    if limit is None:
        return known
    return known.model_copy(update={"limit": limit, "harm": known.harm or 1})


def forecasts(
    forecaster: Forecaster, grid: Grid, origins: Origins, metric: Metric, request: Request
) -> Iterator[tuple[Origins, ForecastBatch]]:
    """Forecast every origin, chunk by chunk."""
    for begin in range(0, len(origins), CHUNK):
        part = origins.part(slice(begin, begin + CHUNK))
        values = grid.histories(part.server, part.column, forecaster.history_steps)
        batch = series(values, grid, part, metric)
        yield part, forecaster.forecast(batch, request.horizon, request.levels)


def series(values: Floats, grid: Grid, origins: Origins, metric: Metric) -> SeriesBatch:
    """The series of one metric at these origins, with its range and limit; ``values``: (window, time) histories."""
    size = len(origins)
    lower, upper = legal_range(values, metric)
    plain = SeriesBatch.plain(values, grid.first_step + origins.column, grid.step_seconds)
    limit = np.nan if metric.limit is None else metric.limit
    return replace(
        plain,
        lower=lower,
        upper=upper,
        limit=np.full(size, limit, np.float32),
        harm=np.full(size, metric.harm or 1, np.int8),
        context=None if grid.context is None else grid.context(origins.server, origins.column),
    )


def legal_range(values: Floats, metric: Metric) -> tuple[Floats, Floats]:
    """(window,) legal lower and upper bounds.

    A recorded trace may have conventions of its own (CPU above 100 % of what was paid for): what a history has shown
    to be possible is legal. A metric of unknown range that was never negative stays so.
    """
    empty = np.isnan(values).all(axis=1, keepdims=True)
    seen = np.where(empty, 0, values)
    lowest, highest = np.nanmin(seen, axis=1), np.nanmax(seen, axis=1)
    floor = 0.0 if not np.isfinite(metric.lower) else metric.lower
    lower = np.where(lowest < floor, -np.inf if not np.isfinite(metric.lower) else lowest, floor)
    return lower.astype(np.float32), np.maximum(highest, metric.upper).astype(np.float32)
