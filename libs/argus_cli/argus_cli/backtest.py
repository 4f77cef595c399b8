"""``argus backtest``: how good forecasts of a recorded trace would have been, beside the baselines."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from argus_cli.forecast import parse_levels, parse_limits
from argus_cli.models_option import open_forecaster
from argus_cli.trace_frame import Selection, read_trace, with_derived
from argus_common.durations import told
from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.alarms import AlarmRule
from argus_forecasting.alarms.rolling import LONGEST_ROUND_SECONDS, alarm_scores
from argus_forecasting.backtest import Scores, Windows, evaluate, rolling_origins, run
from argus_forecasting.batch import Request, described
from argus_forecasting.forecaster import Forecaster
from argus_forecasting.grid import Grid, infer_step
from argus_forecasting.trace_store import IDENTITY, TraceStore

console = Console()

FIRST_SHARE = 0.5
"""Of the trace is history before the first origin, eight days at most."""
HISTORY_SECONDS = 8 * 86_400
ENOUGH_IN_BIN = 100
"""Forecasts in a bin of probabilities before its reliability is judged."""


def backtest(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Parquet or CSV, wide or long.")],
    metric: Annotated[list[str] | None, typer.Option(help="Only this metric; repeatable. All by default.")] = None,
    horizon: Annotated[int, typer.Option(min=1, help="Steps to forecast.")] = 96,
    every: Annotated[int, typer.Option(min=1, help="One origin every K steps.")] = 48,
    model: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of a model version (argus train).")
    ] = None,
    statistical: Annotated[bool, typer.Option("--statistical", help="Score the statistical forecaster.")] = False,
    quantiles: Annotated[
        str, typer.Option(help="Levels, separated by commas.")
    ] = "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9",
    step: Annotated[int | None, typer.Option(min=1, help="Seconds per step; inferred by default.")] = None,
    limit: Annotated[
        list[str] | None, typer.Option(metavar="METRIC=VALUE", help="Where a metric hurts; repeatable.")
    ] = None,
    servers: Annotated[int | None, typer.Option(min=1, help="Only the first N servers by name.")] = None,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="JSON file for all scores.")] = None,
    plots: Annotated[Path | None, typer.Option(file_okay=False, help="Folder for PNG plots.")] = None,
) -> None:
    """Score a model, or the statistical forecaster, on a recorded trace, from rolling origins, without looking ahead.

    Losses are the weighted quantile loss (WQL; lower is better) and the mean absolute scaled error; *relative* is the
    geometric mean over servers of the loss against seasonal naive (yesterday's value), with a 90 % interval. With
    origins at most 15 minutes apart the alarms are scored too.

    Example: argus backtest week.parquet --metric cpu_used_pct --limit cpu_used_pct=90 --every 1 --plots plots
    """
    request = Request(horizon, parse_levels(quantiles), parse_limits(limit or []))
    with console.status(f"Reading {file} ..."):
        rows = with_derived(read_trace(file, Selection(servers=servers)), DEFAULT_CATALOGUE)
    names = metric or [name for name, kind in rows.schema.items() if kind.is_numeric() and name not in IDENTITY]
    forecaster, store = open_forecaster(model, statistical=statistical), TraceStore.of(rows, step or infer_step(rows))
    found: dict[str, tuple[Scores, Windows]] = {}
    with _progress() as progress:
        for name in names:
            task = progress.add_task(name)
            scored = _score(forecaster, store.grid(name), name, every, request, progress, task)
            if scored is not None:
                found[name] = scored
    if not found:
        raise ConfigurationError(f"{file}: no window of {horizon} steps with enough history; try --horizon or --every")
    _tell({name: scores for name, (scores, _) in found.items()})
    if out is not None:
        out.write_text(json.dumps({name: asdict(scores) for name, (scores, _) in found.items()}, indent=2))
    if plots is not None:
        from argus_cli.backtest_plots import draw  # noqa: PLC0415 - matplotlib only where it is wanted

        for name, (scores, windows) in found.items():
            console.print(f"Wrote {draw(plots, name, scores, windows, request.levels)}")


def _score(
    forecaster: Forecaster,
    values: Grid,
    name: str,
    every: int,
    request: Request,
    progress: Progress,
    task: TaskID,
) -> tuple[Scores, Windows] | None:
    first = min(round(FIRST_SHARE * values.values.shape[1]), HISTORY_SECONDS // values.step_seconds)
    origins = rolling_origins(values, first, every, request.horizon)
    progress.update(task, total=len(origins))
    if len(origins) == 0:
        return None
    what = described(name, DEFAULT_CATALOGUE, request)
    windows = run(forecaster, values, origins, what, request, lambda done: progress.advance(task, done))
    if windows is None:
        return None
    scores = evaluate(windows, request.levels, what)
    if what.limit is not None and every * values.step_seconds <= LONGEST_ROUND_SECONDS:
        scores = replace(scores, alarms=alarm_scores(AlarmRule(), windows.chances, origins, values, what))
    return scores, windows


def _tell(scores: dict[str, Scores]) -> None:
    table = Table(title="Forecasts", title_justify="left")
    for name in (
        "metric",
        "windows",
        "WQL",
        "naive",
        "seasonal naive",
        "relative (90 %)",
        "MASE",
        "median",
        "coverage",
    ):
        table.add_column(name, justify="left" if name == "metric" else "right", no_wrap=name != "seasonal naive")
    for name, s in scores.items():
        relative = f"{s.relative[0]:.2f} ({s.relative[1]:.2f} to {s.relative[2]:.2f})"
        numbers = [f"{value:.3f}" for value in (s.wql, s.wql_naive, s.wql_seasonal_naive)]
        table.add_row(
            name, f"{s.windows:,}", *numbers, relative, f"{s.mase:.2f}", f"{s.mase_median:.2f}", f"{s.coverage:.2f}"
        )
    console.print(table)
    warned = {name: s for name, s in scores.items() if s.breach}
    if warned:
        _tell_breaches(warned)
    if alarmed := {name: s for name, s in scores.items() if s.alarms}:
        _tell_alarms(alarmed)


def _tell_breaches(scores: dict[str, Scores]) -> None:
    table = Table(title="Breach probabilities, from origins below the limit", title_justify="left")
    for name in ("metric", "within", "happened", "Brier skill", "largest reliability gap"):
        table.add_column(name, justify="left" if name in ("metric", "within") else "right")
    for name, s in scores.items():
        for within, b in s.breach.items():
            gaps = [abs(p - share) for p, share, count in b.reliability if count >= ENOUGH_IN_BIN]
            table.add_row(name, within, f"{b.base_rate:.1%}", f"{b.brier_skill:.2f}", f"{max(gaps, default=0):.2f}")
    console.print(table)


def _tell_alarms(scores: dict[str, Scores]) -> None:
    table = Table(title="Alarms, as the service would have raised them", title_justify="left")
    for name in ("metric", "from", "hit", "late", "false", "precision", "recall", "median lead", "false/server-day"):
        table.add_column(name, justify="left" if name in ("metric", "from") else "right")
    for name, s in scores.items():
        for source, a in s.alarms.items():
            lead = "-" if math.isnan(a.median_lead_seconds) else told(a.median_lead_seconds)
            counts = [f"{count}" for count in (a.hits, a.late, a.false)]
            table.add_row(
                name, source, *counts, f"{a.precision:.2f}", f"{a.recall:.2f}", lead, f"{a.false_per_series_day:.2f}"
            )
    console.print(table)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("origins"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )  # fmt: skip
