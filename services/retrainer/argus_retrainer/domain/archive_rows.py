"""Windows as rows of the archive, and many files of a day as one table in which every window is once."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from argus_common.events import WindowClosed
from argus_retrainer.domain.archive_day import Day

WHO = ("server", "timestamp")
"""What tells one window of a day from another."""
TIME = pl.Datetime("ms", "UTC")


def rows_by_day(windows: Iterable[WindowClosed]) -> dict[Day, pl.DataFrame]:
    """One wide table per day: ``server``, ``timestamp`` (the beginning of the step), ``profile``, float32 metrics."""
    days: dict[Day, list[WindowClosed]] = {}
    for window in windows:
        days.setdefault(Day.of(window), []).append(window)
    return {day: _table(several) for day, several in sorted(days.items())}


def _table(windows: Sequence[WindowClosed]) -> pl.DataFrame:
    metrics = sorted({name for window in windows for name in window.metrics})
    columns: Mapping[str, list[object]] = {
        "server": [window.server for window in windows],
        "timestamp": [window.step * window.step_seconds * 1000 for window in windows],
        "profile": [window.profile for window in windows],
        **{name: [window.metrics.get(name) for window in windows] for name in metrics},
    }
    kinds = {"server": pl.String, "timestamp": pl.Int64, "profile": pl.String} | dict.fromkeys(metrics, pl.Float32)
    return pl.DataFrame(columns, kinds).with_columns(pl.col("timestamp").cast(TIME))


def merged(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All rows by server and time, each (server, step) once; of several the one of the last table."""
    whole = pl.concat(tables, how="diagonal_relaxed")
    return whole.unique(WHO, keep="last", maintain_order=True).sort(WHO)


def mark(table: pl.DataFrame) -> str:
    """Eight hexadecimal digits that tell which windows a table holds: the same for the same ones."""
    told = table.select(WHO).with_columns(pl.col("timestamp").dt.epoch("ms")).rows()
    return hashlib.sha256(repr(told).encode()).hexdigest()[:8]
