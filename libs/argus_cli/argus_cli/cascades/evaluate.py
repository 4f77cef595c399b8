"""``argus cascades evaluate``: how right a replay was."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from argus_cli.cascades.scoring import EventScores, average_precision, scored
from argus_cli.cascades.told import read_told
from argus_cli.cascades.truth import Incident, read_truth
from argus_common.errors import ConfigurationError
from argus_forecasting.grid import infer_step

WIDTH, DAY_SECONDS = 100, 86_400
console = Console(width=None if sys.stdout.isatty() else WIDTH)


def evaluate(
    events: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What replay wrote with --out.")],
    truth: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="The simulator's truth, or .parquet: start, end, members (list), origin, perhaps fleet.",
        ),
    ],
    scores: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="What replay wrote with --scores.")],
    step: Annotated[int | None, typer.Option(min=1, help="Seconds per step; inferred by default.")] = None,
    json: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the scores to this file too.")] = None,
) -> None:
    """Score the cascades told of a trace against what truly happened.

    A cascade is right if at least half of the members it opened with belong to an incident that was going on. Delays
    count from the second member's trouble; origins are those said at last, and those said at the opening.

    Example: argus cascades replay week.parquet --out events.jsonl --scores scores.parquet   ·   argus cascades evaluate
    events.jsonl --truth truth.ndjson --scores scores.parquet
    """
    rows = pl.read_parquet(scores).with_columns(pl.col("timestamp").dt.epoch("ms"))
    if rows.is_empty():
        raise ConfigurationError(f"{scores}: no rows")
    seconds = step or infer_step(rows)
    incidents = read_truth(truth, seconds)
    found = scored(read_told(events), incidents, _days(rows, seconds))
    area = average_precision(rows["score"].to_numpy().astype(np.float64), _unwell(rows, incidents, seconds))
    console.print(_table(found, area, seconds))
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(_document(found, area, seconds)), indent=2))


def _days(rows: pl.DataFrame, step_seconds: int) -> float:
    """Span of the trace; of several fleets, of all together."""
    span = (pl.col("timestamp").max() - pl.col("timestamp").min()) / 1000 + step_seconds
    by = rows.group_by("fleet").agg(span.alias("span")) if "fleet" in rows.columns else rows.select(span.alias("span"))
    return float(by["span"].sum()) / DAY_SECONDS


def _unwell(rows: pl.DataFrame, incidents: list[Incident], step_seconds: int) -> np.ndarray:
    """(row,) the server belonged to an incident then."""
    step = (rows["timestamp"] // (1000 * step_seconds)).to_numpy()
    server = rows["server"].to_numpy()
    fleet = rows["fleet"].to_numpy() if "fleet" in rows.columns else None
    found = np.zeros(len(step), np.bool_)
    for one in incidents:
        during = np.flatnonzero((step >= one.begin) & (step <= one.end))
        if fleet is not None and one.fleet is not None:
            during = during[fleet[during] == one.fleet]
        begins = np.array([one.begins.get(name, one.end + 1) for name in server[during]])
        found[during[step[during] >= begins]] = True
    return found


def _document(found: EventScores, area: float | None, step_seconds: int) -> dict[str, object]:
    names = ("incidents", "found", "told", "right", "days", "precision", "recall", "f1", "false_per_day")
    delay = found.median_delay
    return {
        **{name: getattr(found, name) for name in names},
        "median_delay_seconds": None if delay is None else delay * step_seconds,
        "delays_steps": found.delays,
        "origin_top_1_3_5": found.top,
        "origin_top_1_3_5_at_opening": found.top_at_opening,
        "member_recall": found.member_recall,
        "member_precision": found.member_precision,
        "auc_pr": area,
    }


def _table(found: EventScores, area: float | None, step_seconds: int) -> Table:
    table = Table(title=f"{found.told} cascades told, {found.incidents} incidents, {found.days:.1f} days")
    table.title_justify = "left"
    table.add_column("what")
    table.add_column("value", justify="right")
    delay = found.median_delay
    tops = (" / ".join(f"{share:.2f}" for share in shares) for shares in (found.top_at_opening, found.top))
    rows = {
        "event precision": f"{found.precision:.2f}",
        "event recall": f"{found.recall:.2f}",
        "event F1": f"{found.f1:.2f}",
        "false cascades per day": f"{found.false_per_day:.3g}",
        "median delay after the second member": "–" if delay is None else f"{delay:g} steps of {step_seconds} s",
        "AUC-PR of the scores": "–" if area is None else f"{area:.2f}",
        "origin among the first 1 / 3 / 5, at the opening": next(tops),
        "origin among the first 1 / 3 / 5, at last": next(tops),
        "members found / of those told true": f"{found.member_recall:.2f} / {found.member_precision:.2f}",
    }
    for what, value in rows.items():
        table.add_row(what, value)
    return table
