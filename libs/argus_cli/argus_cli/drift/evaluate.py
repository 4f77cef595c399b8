"""``argus drift evaluate``: how well alarms found drifts whose onset is known."""

import json
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.table import Table

from argus_cli.screen import wide_console
from argus_common.errors import ConfigurationError

WEEK_SECONDS = 7 * 86_400
LABEL_COLUMNS = ("server", "kind", "onset", "begin", "end")
ALARM_COLUMNS = ("server", "timestamp", "kind")


def evaluate(
    alarms: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Alarms (argus drift scan).")],
    labels: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Parquet with server, kind, onset, begin, end.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a document in place of the table.")] = False,
) -> None:
    """Score alarms against labelled drifts: found, delay, false alarms per week of a server watched.

    LABELS has a row per server: its kind (of drift, or of what must not be taken for one), onset (UTC; null = no
    drift), and the span [begin, end) in which it was watched. Only a server's first alarm in its span counts: at or
    after the onset it is a find, before it or without an onset it is false.

    Examples: argus drift evaluate alarms.parquet labels.parquet   ·   argus drift evaluate a.parquet l.parquet --json
    """
    judged = judge(_read(alarms, ALARM_COLUMNS), _read(labels, LABEL_COLUMNS))
    rows = [*(_scores(part) for _, part in judged.group_by("kind", maintain_order=True)), _scores(judged, "all")]
    if as_json:
        print(json.dumps({"kinds": rows[:-1], "all": rows[-1]}, indent=2))  # noqa: T201 - a document, never wrapped
    else:
        wide_console().print(_table(rows))


def judge(alarms: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """One row per label, in the order of kinds: found, false, delay_hours (null = not found), told (kind of the alarm
    that found it), weeks without drift.
    """
    first = (
        labels.join(alarms.select("server", "timestamp", told="kind"), on="server")
        .filter(pl.col("timestamp").is_between("begin", "end", closed="left"))
        .sort("timestamp")
        .group_by("server", maintain_order=True)
        .first()
        .select("server", "timestamp", "told")
    )
    calm_end = pl.coalesce("onset", "end")
    return (
        labels.join(first, on="server", how="left")
        .with_columns(found=(pl.col("timestamp") >= pl.col("onset")).fill_null(False))
        .with_columns(
            false=pl.col("timestamp").is_not_null() & ~pl.col("found"),
            told=pl.when("found").then("told"),
            delay_hours=pl.when("found").then((pl.col("timestamp") - pl.col("onset")).dt.total_seconds() / 3600),
            weeks=(calm_end - pl.col("begin")).dt.total_seconds() / WEEK_SECONDS,
        )
        .sort("kind", "server")
    )


def _read(file: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigurationError(f"{file}: {str(error).splitlines()[0]}") from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ConfigurationError(f"{file}: no column {', '.join(missing)}; it has {', '.join(frame.columns)}")
    times = [name for name in columns if name in ("timestamp", "onset", "begin", "end")]
    utc = pl.Datetime("us", "UTC")
    return frame.select(columns).with_columns(
        pl.col(name).dt.replace_time_zone("UTC").cast(utc) if frame.schema[name] == pl.Datetime("us") else
        pl.col(name).cast(utc) for name in times
    )  # fmt: skip


def _scores(part: pl.DataFrame, kind: str | None = None) -> dict[str, Any]:
    weeks = float(part["weeks"].sum())
    drifts = part.filter(pl.col("onset").is_not_null())
    told = drifts.filter("found").group_by("told").len().sort("len", "told", descending=[True, False])
    return {
        "kind": kind or part["kind"][0],
        "servers": part.height,
        "drifts": drifts.height,
        "found": int(drifts["found"].sum()),
        "median_delay_hours": part["delay_hours"].median(),
        "false_alarms": int(part["false"].sum()),
        "false_per_server_week": float(part["false"].sum()) / weeks if weeks else None,
        "told_as": dict(told.iter_rows()),
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Drift alarms against labels")
    names = ("kind", "servers", "drifts", "found", "median delay", "false", "false / server-week", "told as")
    for name in names:
        table.add_column(name, justify="left" if name in ("kind", "told as") else "right")
    for row in rows:
        if row["kind"] == "all":
            table.add_section()
        delay, rate = row["median_delay_hours"], row["false_per_server_week"]
        table.add_row(
            row["kind"], f"{row['servers']:,}", f"{row['drifts']:,}", f"{row['found']:,}" if row["drifts"] else "",
            "" if delay is None else f"{delay:.1f} h", f"{row['false_alarms']:,}",
            "" if rate is None else f"{rate:.3f}",
            ", ".join(f"{kind} {count}" for kind, count in row["told_as"].items()),
        )  # fmt: skip
    return table
