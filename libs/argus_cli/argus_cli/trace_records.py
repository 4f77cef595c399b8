"""Rows of a trace as native metric records, encoded column by column: no object is made per row or value."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from argus_cli.trace_frame import IDENTITY


@dataclass(frozen=True, slots=True)
class Identity:
    """What the records say where the trace has no ``fleet`` or ``profile`` column, or an empty field in it."""

    fleet: str = "default"
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """Encoded records, in the order of their event times.

    ``times``: (record,), int64, epoch milliseconds. ``samples``: (record,), how many values each of them holds.
    """

    keys: list[bytes]
    values: list[bytes]
    times: NDArray[np.int64]
    samples: NDArray[np.integer]

    def __len__(self) -> int:
        return len(self.keys)


def metric_columns(schema: pl.Schema) -> list[str]:
    """Names of the numeric columns, without those that say who and when."""
    return [name for name, kind in schema.items() if kind.is_numeric() and name not in IDENTITY]


def encode(rows: pl.DataFrame, identity: Identity) -> Records:
    """One record per row: ``{"server":…,"fleet":…,"profile":…,"timestamp":…,"metrics":{…}}``, keyed by server.

    A value that is missing, NaN or infinite is absent from ``metrics``; a row without any value gives no record.

    Args:
        rows: ``server`` (string), ``timestamp`` (int64, epoch milliseconds, ascending), optionally ``fleet`` and
            ``profile`` (strings), and any numeric columns.
        identity: what to say where the trace is silent.
    """
    metrics = metric_columns(rows.schema)
    present = [_present(rows.schema, name) for name in metrics]
    fields = [_field(name, value) for name, value in zip(metrics, present, strict=True)]
    encoded = (
        _with_heads(rows, identity)
        .select(
            pl.col("timestamp"),
            pl.col("server").cast(pl.Binary).alias("key"),
            pl.sum_horizontal(value.is_not_null() for value in present).alias("samples"),
            pl.concat_str(
                pl.col("head"),
                pl.col("timestamp").cast(pl.String),
                pl.lit(',"metrics":{'),
                pl.concat_str(fields).str.strip_suffix(","),
                pl.lit("}}"),
            )
            .cast(pl.Binary)
            .alias("value"),
        )
        .filter(pl.col("samples") > 0)
    )
    return Records(
        encoded["key"].to_list(),
        encoded["value"].to_list(),
        encoded["timestamp"].to_numpy(),
        encoded["samples"].to_numpy(),
    )


def encode_in_slices(rows: pl.DataFrame, identity: Identity, size: int) -> Iterator[Records]:
    """``encode`` for ``size`` rows at a time, so that memory does not grow with the trace."""
    for part in rows.iter_slices(size):
        yield encode(part, identity)


def _present(schema: pl.Schema, name: str) -> pl.Expr:
    value = pl.col(name)
    return pl.when(value.is_finite()).then(value) if schema[name].is_float() else value


def _field(name: str, value: pl.Expr) -> pl.Expr:
    """``"name":value,`` or nothing. The text of a float32 is the shortest that reads back as the same float32."""
    return pl.concat_str(pl.lit(f"{_json(name)}:"), value.cast(pl.String), pl.lit(",")).fill_null("")


def _with_heads(rows: pl.DataFrame, identity: Identity) -> pl.DataFrame:
    """Rows with ``head``, the part of the JSON text that is the same for all records of a server."""
    named = rows.with_columns(
        pl.col("fleet").fill_null(identity.fleet) if "fleet" in rows.columns else pl.lit(identity.fleet).alias("fleet"),
        pl.col("profile").fill_null(identity.profile or "")
        if "profile" in rows.columns
        else pl.lit(identity.profile or "").alias("profile"),
    )
    servers = named.select("server", "fleet", "profile").unique()
    heads = servers.with_columns(pl.Series("head", [_head(*server) for server in servers.iter_rows()], dtype=pl.String))
    return named.join(heads, on=["server", "fleet", "profile"], how="left", maintain_order="left")


def _head(server: str, fleet: str, profile: str) -> str:
    labels = {"server": server, "fleet": fleet} | ({"profile": profile} if profile else {})
    return f'{_json(labels)[:-1]},"timestamp":'


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
