"""Read a recorded trace from Parquet or CSV, wide or long, into one table in event-time order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from argus_common.errors import ConfigurationError
from argus_common.metrics import Catalogue

IDENTITY = ("server", "timestamp", "fleet", "profile")
"""Columns that say who and when; named here too, since a command that only sends a trace need not load a forecaster."""

_UNITS = ((10**11, 1000.0), (10**14, 1.0), (10**17, 1e-3), (10**20, 1e-6))
"""Epoch numbers below the bound times the factor are milliseconds: seconds, milli-, micro-, nanoseconds."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of a trace is wanted: event times in ``[begin, until)``, the first ``servers`` servers by name."""

    rename: Mapping[str, str] = field(default_factory=dict)
    begin: datetime | None = None
    until: datetime | None = None
    servers: int | None = None


def read_trace(file: Path, selection: Selection) -> pl.DataFrame:
    """The trace in event-time order, wide: ``server``, ``timestamp`` (int64, epoch ms), metrics (null = missing).

    ``fleet`` and ``profile`` (strings) are kept where the file has them; columns that are not numbers are left out.

    Raises:
        ConfigurationError: the file can't be read, lacks a column, or nothing of it is selected.
    """
    try:
        rows = scan_trace(file, selection).collect()
    except pl.exceptions.PolarsError as error:
        raise ConfigurationError(f"{file}: {str(error).splitlines()[0]}") from error
    if rows.is_empty():
        raise ConfigurationError(f"{file}: nothing is left of it after --from, --until and --servers")
    if rows.select("server", "timestamp").null_count().sum_horizontal().item():
        raise ConfigurationError(f"{file}: rows without server or timestamp")
    return wide(rows).sort("timestamp", maintain_order=True)


def scan_trace(file: Path, selection: Selection) -> pl.LazyFrame:
    """The selected rows as they lie in the file, wide or long, with event times in epoch ms; nothing is read yet.

    Raises:
        ConfigurationError: the file is of another kind or lacks a column.
    """
    return _selected(_named(_scan(file), selection.rename), selection)


def with_derived(rows: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """The trace with those derived metrics of the catalogue that it lacks and that can be computed."""
    found = []
    for metric in catalogue.derived():
        rule = metric.derived
        if rule is None or metric.name in rows.columns or not set(rule.terms) <= set(rows.columns):
            continue
        value = pl.sum_horizontal(
            *(pl.col(name) * weight for name, weight in rule.terms.items()), pl.lit(rule.offset), ignore_nulls=False
        )
        found.append(value.clip(metric.lower, metric.upper).alias(metric.name))
    return rows.with_columns(found)


def _scan(file: Path) -> pl.LazyFrame:
    suffix = file.name.lower().removesuffix(".gz").rpartition(".")[2]
    if suffix == "parquet":
        return pl.scan_parquet(file)
    if suffix in ("csv", "tsv"):
        return pl.scan_csv(file, separator="\t" if suffix == "tsv" else ",", try_parse_dates=True)
    raise ConfigurationError(f"{file}: expected a .parquet, .csv or .tsv file")


def _named(frame: pl.LazyFrame, rename: Mapping[str, str]) -> pl.LazyFrame:
    columns = frame.collect_schema().names()
    unknown = [name for name in rename if name not in columns]
    if unknown:
        raise ConfigurationError(f"--rename: no column {', '.join(unknown)}; the trace has {', '.join(columns)}")
    renamed = frame.rename(dict(rename))
    missing = [name for name in ("server", "timestamp") if name not in renamed.collect_schema().names()]
    if missing:
        raise ConfigurationError(
            f"no column {' and '.join(missing)}; the trace has {', '.join(columns)}. Use --rename OLD={missing[0]}"
        )
    return renamed


def _selected(frame: pl.LazyFrame, selection: Selection) -> pl.LazyFrame:
    schema = frame.collect_schema()
    labels = [name for name in (*IDENTITY, "metric") if name in schema and name != "timestamp"]
    numbers = [name for name, kind in schema.items() if kind.is_numeric() and name not in (*IDENTITY, "metric")]
    if not numbers:
        raise ConfigurationError("the trace has no column of numbers: nothing to send")
    rows = frame.select(
        pl.col(labels).cast(pl.String), _epoch_ms(schema["timestamp"]).alias("timestamp"), pl.col(numbers)
    )
    if selection.begin:
        rows = rows.filter(pl.col("timestamp") >= _milliseconds(selection.begin))
    if selection.until:
        rows = rows.filter(pl.col("timestamp") < _milliseconds(selection.until))
    if selection.servers:
        first = rows.select(pl.col("server").unique().sort().head(selection.servers)).collect()["server"]
        rows = rows.filter(pl.col("server").is_in(first.to_list()))
    return rows


def _epoch_ms(kind: pl.DataType) -> pl.Expr:
    time = pl.col("timestamp")
    if isinstance(kind, pl.Datetime):
        return time.dt.timestamp("ms")
    if kind == pl.Date:
        return time.cast(pl.Datetime).dt.timestamp("ms")
    if kind == pl.String:
        return time.str.to_datetime(time_zone="UTC").dt.timestamp("ms")
    if not kind.is_numeric():
        raise ConfigurationError(
            f"column timestamp has the type {kind}: expected times, epoch numbers or RFC 3339 text"
        )
    scaled = pl.lit(None, pl.Float64)
    for bound, factor in reversed(_UNITS):
        scaled = pl.when(time < bound).then(time * factor).otherwise(scaled)
    return scaled.round().cast(pl.Int64)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def wide(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per server and event time, one column per metric; a wide trace as it is."""
    if not {"metric", "value"} <= set(rows.columns):
        return rows
    who = [name for name in IDENTITY if name in rows.columns]
    return rows.pivot("metric", index=who, values="value", aggregate_function="last")
