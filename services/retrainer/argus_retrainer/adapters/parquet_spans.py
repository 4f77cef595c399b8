"""Spans that nothing may be learned from, beside the archive: topics forget them sooner than it its windows."""

import io

import polars as pl

from argus_retrainer.adapters.object_folder import ObjectFolder
from argus_retrainer.domain.spans import Span

FILE = "_excluded.parquet"
"""Readers of partitioned Parquet leave out what begins with an underscore."""
COLUMNS = {"fleet": pl.String, "server": pl.String, "begin": pl.Int64, "end": pl.Int64}
TIMES = ("begin", "end")


class ParquetSpans:
    """A `SpanStore`. Two that write at once may lose a span, which the topics tell again for days."""

    def __init__(self, folder: ObjectFolder) -> None:
        self._folder = folder

    def kept(self, more: set[Span]) -> set[Span]:
        """See `SpanStore.kept`."""
        known = self._read()
        if not more <= known:
            out = io.BytesIO()
            table(known | more).write_parquet(out)
            self._folder.put(FILE, out.getvalue())
        return known | more

    def _read(self) -> set[Span]:
        try:
            content = self._folder.get(FILE)
        except FileNotFoundError:
            return set()
        rows = pl.read_parquet(io.BytesIO(content)).with_columns(
            pl.col(TIMES).dt.epoch("ms"), pl.col("server").fill_null("")
        )
        return {Span(*row) for row in rows.select(*COLUMNS).iter_rows()}


def table(spans: set[Span]) -> pl.DataFrame:
    """``fleet``, ``server`` (null = all of the fleet), ``begin``, ``end``, as ``argus train --exclude`` reads it."""
    rows = [(s.fleet, s.server or None, s.begin_ms, s.end_ms) for s in sorted(spans)]
    return pl.DataFrame(rows, COLUMNS, orient="row").with_columns(pl.col(TIMES).cast(pl.Datetime("ms", "UTC")))
