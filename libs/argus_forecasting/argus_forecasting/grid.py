"""A trace as arrays on a grid of steps, and the histories that end at chosen origins."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from argus_common.errors import ConfigurationError
from argus_forecasting.forecaster import Context, Floats, Ints


@dataclass(frozen=True, slots=True)
class Grid:
    """One metric of all servers. ``values``: (server, time) float32, NaN = missing. Column 0 is ``first_step``.
    ``context``: gives what is known of the servers behind windows (server rows, columns); None = nothing.
    """

    servers: tuple[str, ...]
    first_step: int
    step_seconds: int
    values: Floats
    context: Callable[[Ints, Ints], Context] | None = None

    def histories(self, server: Ints, column: Ints, length: int) -> Floats:
        """(window, time) the ``length`` columns up to and including ``column`` of each server row; NaN before the
        beginning.
        """
        columns = column[:, None] + np.arange(1 - length, 1)[None, :]
        inside = (columns >= 0) & (columns < self.values.shape[1])
        taken = self.values[server[:, None], np.clip(columns, 0, self.values.shape[1] - 1)]
        return np.where(inside, taken, np.float32(np.nan))


def infer_step(rows: pl.DataFrame) -> int:
    """Seconds between the samples of a server: the most frequent difference.

    Raises:
        ConfigurationError: no server has two samples.
    """
    gaps = rows.sort("server", "timestamp").select(pl.col("timestamp").diff().over("server")).to_series().drop_nulls()
    gaps = gaps.filter(gaps > 0)
    if gaps.is_empty():
        raise ConfigurationError("the step can't be inferred: no server has two samples; give --step SECONDS")
    most = gaps.value_counts(sort=True).get_column("timestamp")[0]
    return max(1, round(int(most) / 1000))
