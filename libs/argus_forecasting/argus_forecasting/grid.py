"""A trace as arrays on a grid of steps, and the histories that end at chosen origins."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from argus_common.errors import ConfigurationError
from argus_forecasting.forecaster import Floats, Ints


@dataclass(frozen=True, slots=True)
class Grid:
    """One metric of all servers. ``values``: (server, time) float32, NaN = missing. Column 0 is ``first_step``."""

    servers: tuple[str, ...]
    first_step: int
    step_seconds: int
    values: Floats

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


def grid(rows: pl.DataFrame, metric: str, step_seconds: int) -> Grid:
    """The grid of ``metric``; several samples in a step are averaged.

    Args:
        rows: wide, with ``server`` and ``timestamp`` (epoch milliseconds).
        metric: a column.
        step_seconds: length of a step.
    """
    steps = rows.select(
        "server", step=pl.col("timestamp") // (1000 * step_seconds), value=pl.col(metric).cast(pl.Float32)
    )
    steps = steps.group_by("server", "step").agg(pl.col("value").mean())
    servers = sorted(rows["server"].unique().to_list())
    numbers = {server: i for i, server in enumerate(servers)}
    first, last = int(steps["step"].min()), int(steps["step"].max())  # type: ignore[arg-type]
    values = np.full((len(servers), last - first + 1), np.nan, np.float32)
    row: npt.NDArray[np.int64] = steps["server"].replace_strict(numbers, return_dtype=pl.Int64).to_numpy()
    values[row, steps["step"].to_numpy() - first] = steps["value"].to_numpy()
    return Grid(tuple(servers), first, step_seconds, values)
