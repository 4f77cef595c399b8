"""Reads traces that are larger than memory: a Parquet file, or a folder of them, a few rows at a time.

Wide or long, in any order; a folder may be partitioned (``fleet=web/date=2026-01-05/…parquet``). Needs pyarrow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from argus_common.errors import ConfigurationError
from argus_common.metrics import Catalogue
from argus_forecasting.grid import infer_step
from argus_forecasting.trace_store import IDENTITY, TraceStore, build, extent, with_derived

BATCH_ROWS = 65_536
"""Rows in memory at once, besides one compressed row group."""
WATCHED_SERVERS, WATCHED_SAMPLES = 32, 200_000
"""Whose samples the step is inferred from."""
LONG = ("metric", "value")
_UNITS = ((10**11, 1000.0), (10**14, 1.0), (10**17, 1e-3), (10**20, 1e-6))
"""Epoch numbers below the bound times the factor are milliseconds: seconds, milli-, micro-, nanoseconds."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Parquet files that are one trace. ``servers``: only these; None = all."""

    files: tuple[Path, ...]
    servers: frozenset[str] | None = None

    @staticmethod
    def at(place: Path) -> "Archive":
        """The file, or every .parquet file under the folder, hidden ones and those that begin with _ left out.

        Raises:
            ConfigurationError: there is none.
        """
        found = sorted(place.rglob("*.parquet")) if place.is_dir() else [place]
        files = tuple(file for file in found if not any(part[0] in "._" for part in file.relative_to(place).parts))
        if not files:
            raise ConfigurationError(f"{place}: no .parquet file in this folder")
        return Archive(files)

    def first(self, count: int) -> "Archive":
        """Only the first servers by name."""
        names = {name for frame in self.frames(("server",)) for name in frame["server"].unique()}
        return Archive(self.files, frozenset(sorted(names)[:count]))

    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics, in the order of the files."""
        names: dict[str, None] = {}
        for file in self.files:
            columns = _columns(file)
            if set(LONG) <= set(columns):
                for batch in _batches(file, ["metric"]):
                    found = pl.Series("metric", batch.column("metric")).cast(pl.String).drop_nulls()
                    names |= dict.fromkeys(found.unique(maintain_order=True))
            else:
                names |= dict.fromkeys(name for name, kind in columns.items() if name not in IDENTITY and _number(kind))
        return tuple(names)

    def frames(self, only: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Wide frames: ``server``, ``timestamp`` (epoch milliseconds), ``fleet``, ``profile``, float32 metrics.

        Args:
            only: columns to read; all by default.

        Raises:
            ConfigurationError: a file can't be read, lacks a column, or has rows without server or timestamp.
        """
        for file in self.files:
            columns = _wanted(file, only)
            for batch in _batches(file, columns):
                frame = _tidy(pl.DataFrame(batch), file)
                yield frame if self.servers is None else frame.filter(pl.col("server").is_in(self.servers))


def open_store(archive: Archive, step_seconds: int | None, folder: Path, catalogue: Catalogue) -> TraceStore:
    """The archive as one array on disk under ``folder``, with the catalogue's metrics that it lacks and that can be
    computed. Memory is bounded whatever its size.

    Raises:
        ConfigurationError: the archive can't be read, is empty, or its step can't be inferred.
    """
    step = step_seconds or step_of(archive)
    found = extent(archive.frames(IDENTITY), step, archive.metrics())
    return build(archive.frames(), with_derived(found, catalogue), step, folder)


def step_of(archive: Archive) -> int:
    """Seconds between the samples of a server, inferred from some servers of all files.

    Raises:
        ConfigurationError: no server has two samples.
    """
    watched: set[str] = set()
    parts: list[pl.DataFrame] = []
    for frame in archive.frames(("server", "timestamp")):
        if len(watched) < WATCHED_SERVERS:
            watched |= set(frame["server"].unique().sort().head(WATCHED_SERVERS - len(watched)))
        parts.append(frame.filter(pl.col("server").is_in(watched)).unique())
        if sum(part.height for part in parts) > WATCHED_SAMPLES:
            break
    return infer_step(pl.concat(parts).unique()) if parts else 0


def _columns(file: Path) -> dict[str, pa.DataType]:
    """Column → type.

    Raises:
        ConfigurationError: the file is not Parquet.
    """
    try:
        schema = pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise ConfigurationError(f"{file}: not a Parquet file: {str(error).splitlines()[0]}") from error
    return dict(zip(schema.names, schema.types, strict=True))


def _number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _wanted(file: Path, only: Sequence[str] | None) -> list[str]:
    columns = _columns(file)
    known = {*columns, *_partitions(file)}
    missing = [name for name in ("server", "timestamp") if name not in known and (only is None or name in only)]
    if missing:
        raise ConfigurationError(f"{file}: no column {' and '.join(missing)}; it has {', '.join(columns)}")
    useful = [name for name, kind in columns.items() if name in (*IDENTITY, *LONG) or _number(kind)]
    return [name for name in useful if only is None or name in only]


def _batches(file: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(file, pre_buffer=False) as opened:
            yield from opened.iter_batches(BATCH_ROWS, columns=columns, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise ConfigurationError(f"{file}: can't be read: {str(error).splitlines()[0]}") from error


def _partitions(file: Path) -> dict[str, str]:
    """What the folders' names say of server, profile and fleet."""
    pairs = (part.partition("=") for part in file.parent.parts)
    return {name: unquote(value) for name, sign, value in pairs if sign and name in IDENTITY}


def _tidy(frame: pl.DataFrame, file: Path) -> pl.DataFrame:
    told = [pl.lit(value).alias(name) for name, value in _partitions(file).items() if name not in frame.columns]
    labels = [pl.col(n).cast(pl.String) for n in ("server", "fleet", "profile", "metric") if n in frame.columns]
    numbers = [name for name, kind in frame.schema.items() if kind.is_numeric() and name not in (*IDENTITY, "metric")]
    times = [_epoch_ms(frame.schema["timestamp"], file)] if "timestamp" in frame.columns else []
    tidy = frame.select(*labels, *times, pl.col(numbers).cast(pl.Float32)).with_columns(told)
    known = [name for name in ("server", "timestamp") if name in tidy.columns]
    if tidy.select(known).null_count().sum_horizontal().item():
        raise ConfigurationError(f"{file}: rows without server or timestamp")
    if not set(LONG) <= set(tidy.columns):
        return tidy
    who = [name for name in IDENTITY if name in tidy.columns]
    return tidy.filter(pl.col("metric").is_not_null()).pivot(
        "metric", index=who, values="value", aggregate_function="last"
    )


def _epoch_ms(kind: pl.DataType, file: Path) -> pl.Expr:
    time = pl.col("timestamp")
    if isinstance(kind, pl.Datetime):
        return time.dt.timestamp("ms")
    if kind == pl.String:
        return time.str.to_datetime(time_zone="UTC").dt.timestamp("ms")
    if not kind.is_numeric():
        raise ConfigurationError(f"{file}: column timestamp has the type {kind}: expected times, numbers or RFC 3339")
    scaled = pl.lit(None, pl.Float64)
    for bound, factor in reversed(_UNITS):
        scaled = pl.when(time < bound).then(time * factor).otherwise(scaled)
    return scaled.round().cast(pl.Int64).alias("timestamp")
