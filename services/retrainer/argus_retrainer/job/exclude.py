"""Spans of whole fleets as spans of their servers: a trace knows servers only."""

import polars as pl

from argus_forecasting.archive import Archive


def by_server(spans: pl.DataFrame, archive: Archive) -> pl.DataFrame:
    """The same spans, each of one server.

    Args:
        spans: ``fleet``, ``server`` (null = all of the fleet), ``begin``, ``end``.
        archive: that says which servers a fleet has.
    """
    whole = spans.filter(pl.col("server").is_null())
    if whole.is_empty():
        return spans
    members = pl.concat([frame.select("fleet", "server").unique() for frame in archive.frames(("fleet", "server"))])
    named = whole.drop("server").join(members.unique(), on="fleet").select(spans.columns)
    return pl.concat([spans.filter(pl.col("server").is_not_null()), named])
