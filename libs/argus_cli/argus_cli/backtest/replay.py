"""One metric from all its origins: forecasts with what came, warnings, and the scores of both."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import Progress

from argus_cli.backtest.forecasters import Plan
from argus_common.metrics import Metric
from argus_forecasting.alarms import AlarmRule
from argus_forecasting.alarms.episodes import AlarmScores
from argus_forecasting.backtest import Scores, Windows, evaluate, join, rolling_origins, run
from argus_forecasting.backtest.alarms import alarm_scores
from argus_forecasting.backtest.warning_rules import WARN_EVERY_MINUTES, probabilities, score_rules
from argus_forecasting.backtest.warning_scores import Level, WarningScores
from argus_forecasting.batch import Origins, Request
from argus_forecasting.forecaster import Floats
from argus_forecasting.grid import Grid
from argus_forecasting.trace_store import TraceStore

FIRST_SHARE = 0.5
"""Of the trace is history before the first origin, eight days at most."""
HISTORY_SECONDS = 8 * 86_400
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Result:
    """Of one metric. ``stretches``: (first origin, scores) of each forecaster of a plan. ``warnings``: by rule.
    ``alarms``: by whose promises the service's own rule goes.
    """

    metric: Metric
    scores: Scores
    stretches: list[tuple[str, Scores]]
    warnings: dict[str, WarningScores]
    alarms: dict[str, AlarmScores]
    pictures: tuple[Path, ...] = ()


def begin_of(store: TraceStore) -> int:
    """The first origin's column."""
    return min(round(FIRST_SHARE * store.length), HISTORY_SECONDS // store.step_seconds)


def moment(grid: Grid, column: int) -> str:
    """When a column began, in UTC."""
    seconds = (grid.first_step + column) * grid.step_seconds
    return str(np.datetime64(seconds, "s")).replace("T", " ")[:16]


def replay(
    grid: Grid, plan: Plan, metric: Metric, request: Request, every: int, progress: Progress, *, warned: bool
) -> tuple[Result, Windows] | None:
    """Forecast and score; None where no window is observed enough."""
    parts = _windows(grid, plan, metric, request, every, progress)
    windows = join([part for _, part in parts])
    if windows is None:
        return None
    stretches = [(moment(grid, begin), _evaluate(part, request, metric, grid)) for begin, part in parts if len(part)]
    scores = _evaluate(windows, request, metric, grid)
    if not warned or metric.limit is None:
        return Result(metric, scores, stretches, {}, {}), windows
    at, said = _said(grid, plan, metric, request, every, progress)
    warnings = score_rules(Level.of(grid, metric), at, said)
    return Result(metric, scores, stretches, warnings, alarm_scores(AlarmRule(), said, at, grid, metric)), windows


def _windows(
    grid: Grid, plan: Plan, metric: Metric, request: Request, every: int, progress: Progress
) -> list[tuple[int, Windows]]:
    chosen = [rolling_origins(grid, stretch.begin, stretch.end, every) for stretch in plan]
    task = progress.add_task(metric.name, total=sum(len(origins) for origins in chosen), unit="origins")
    found = []
    for stretch, origins in zip(plan, chosen, strict=True):
        part = run(stretch.forecasters, grid, origins, metric, request, lambda done: progress.advance(task, done))
        if part is not None:
            found.append((stretch.begin, part))
    return found


def _said(
    grid: Grid, plan: Plan, metric: Metric, request: Request, every: int, progress: Progress
) -> tuple[Origins, dict[str, Floats]]:
    """The origins at which rules are asked, and by forecaster the (origin, within) breach probabilities there."""
    every = max(min(WARN_EVERY_MINUTES * 60 // grid.step_seconds, every), 1)
    chosen = [rolling_origins(grid, stretch.begin, stretch.end, every) for stretch in plan]
    names = list(plan[0].forecasters)
    total = len(names) * sum(len(origins) for origins in chosen)
    task = progress.add_task(f"{metric.name}, warnings", total=total, unit="origins")
    said: dict[str, list[Floats]] = {name: [] for name in names}
    for stretch, origins in zip(plan, chosen, strict=True):
        for name, forecaster in stretch.forecasters.items():
            said[name].append(
                probabilities(forecaster, grid, origins, metric, request, lambda done: progress.advance(task, done))
            )
    at = Origins(np.concatenate([o.server for o in chosen]), np.concatenate([o.column for o in chosen]))
    return at, {name: np.concatenate(parts) for name, parts in said.items()}


def _evaluate(windows: Windows, request: Request, metric: Metric, grid: Grid) -> Scores:
    day = (grid.first_step + windows.column) * grid.step_seconds // DAY_SECONDS
    return evaluate(windows, request.levels, metric, day)
