"""A recorded trace in event-time order, a part at a time: memory does not grow with the trace, whatever its own order.

A trace that is not sorted by time, most are sorted by server, is dealt into files by event time in one pass; then each
file is sorted by itself.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import polars as pl

from argus_cli.trace_frame import Selection, scan_trace, wide
from argus_common.errors import ConfigurationError

ROWS_TOGETHER = 250_000
"""Rows of a part, about; all rows of one moment stay together."""
BINS = 4096
"""Slices of the trace's time in which rows are counted, to cut it into parts of about the same size."""


@dataclass(frozen=True, slots=True)
class Trace:
    """``parts``: wide rows as `read_trace` gives them, the event times of each after those of the one before; to be
    gone through once. Event times lie in ``[first_ms, last_ms]``.
    """

    parts: Iterable[pl.DataFrame]
    first_ms: int
    last_ms: int

    def ending_at(self, moment_ms: int) -> "Trace":
        """The same with event times moved so that the last one is ``moment_ms``."""
        shift = moment_ms - self.last_ms
        parts = (part.with_columns(pl.col("timestamp") + shift) for part in self.parts)
        return replace(self, parts=parts, first_ms=self.first_ms + shift, last_ms=moment_ms)


def trace_of(rows: pl.DataFrame) -> Trace:
    """A trace that is in memory already, in order."""
    times = rows["timestamp"]
    return Trace([rows], int(times[0]), int(times[-1]))


def stream_trace(file: Path, selection: Selection, rows_together: int = ROWS_TOGETHER) -> Trace:
    """The selected rows of a trace. Parts are read when they are asked for; until then only its extent is.

    Raises:
        ConfigurationError: the file can't be read, lacks a column, or nothing of it is selected.
    """
    try:
        rows = scan_trace(file, selection)
        time = pl.col("timestamp")
        count, first, last, nameless = (
            rows.select(
                pl.len(), time.min().alias("first"), time.max().alias("last"),
                (time.is_null() | pl.col("server").is_null()).sum().alias("nameless"),
            )
            .collect(engine="streaming")
            .row(0)
        )  # fmt: skip
    except pl.exceptions.PolarsError as error:
        raise ConfigurationError(f"{file}: {str(error).splitlines()[0]}") from error
    if not count:
        raise ConfigurationError(f"{file}: nothing is left of it after --from, --until and --servers")
    if nameless:
        raise ConfigurationError(f"{file}: rows without server or timestamp")
    if count <= rows_together:
        return Trace(_sorted_parts([rows.collect()]), first, last)
    return Trace(_sorted_parts(_dealt(rows, _cuts(rows, first, last, rows_together))), first, last)


def _sorted_parts(parts: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    for part in parts:
        yield wide(part).sort("timestamp", maintain_order=True)


def _cuts(rows: pl.LazyFrame, first: int, last: int, rows_together: int) -> list[int]:
    """Rising event times, the first of each part."""
    width = (last - first) // BINS + 1
    counted = rows.group_by(((pl.col("timestamp") - first) // width).alias("bin")).len().collect(engine="streaming")
    cuts, held = [first], 0
    for number, count in counted.sort("bin").iter_rows():
        if held and held + count > rows_together:
            cuts.append(first + number * width)
            held = 0
        held += count
    return cuts


def _dealt(rows: pl.LazyFrame, cuts: Sequence[int]) -> Iterator[pl.DataFrame]:
    """The rows of each part, in the order of the trace, through files of its own."""
    with tempfile.TemporaryDirectory(prefix="argus-trace-") as folder:
        piles = [Path(folder) / f"{number:06d}" for number in range(len(cuts))]
        for pile in piles:
            pile.mkdir()
        for number, batch in enumerate(rows.collect_batches(chunk_size=ROWS_TOGETHER, engine="streaming")):
            _deal(batch, cuts, piles, number)
        for pile in piles:
            files = sorted(pile.iterdir())
            yield pl.concat([pl.read_ipc(file) for file in files])
            for file in files:
                file.unlink()


def _deal(batch: pl.DataFrame, cuts: Sequence[int], piles: Sequence[Path], number: int) -> None:
    for index, (begin, end) in enumerate(pairwise([*cuts, None])):
        time = pl.col("timestamp")
        part = batch.filter(time >= begin if end is None else (time >= begin) & (time < end))
        if len(part):
            part.write_ipc(piles[index] / f"{number:06d}.arrow", compression="lz4")
