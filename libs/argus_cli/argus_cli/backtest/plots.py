"""Pictures of a backtest, a few per metric."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from argus_cli.backtest.replay import Result, moment
from argus_forecasting import plots
from argus_forecasting.backtest import Windows
from argus_forecasting.backtest.evaluate import STATISTICAL
from argus_forecasting.backtest.warning_scores import WarningScores
from argus_forecasting.grid import Grid

HISTORY_HOURS = 12
LABELLED = ("0.1", "0.2", "0.3", "0.5")
"""Thresholds that are written beside the curve."""
SHAPES = ("v", "^", "s", "D")


def draw(folder: Path, result: Result, windows: Windows, grid: Grid, levels: tuple[float, ...]) -> list[Path]:
    """Write METRIC.png, and where they were asked for METRIC.warnings.png and METRIC.retraining.png."""
    folder.mkdir(parents=True, exist_ok=True)
    name = result.metric.name
    figures = {f"{name}.png": _forecasts(result, windows, grid, levels)}
    if result.warnings:
        figures[f"{name}.warnings.png"] = _warnings(result)
    if len(result.stretches) > 1:
        figures[f"{name}.retraining.png"] = _retraining(result)
    for file, figure in figures.items():
        (folder / file).write_bytes(plots.png(figure))
    return [folder / file for file in figures]


def _forecasts(result: Result, windows: Windows, grid: Grid, levels: tuple[float, ...]) -> Figure:
    scores, name = result.scores, result.metric.name
    ours = next(iter(scores.forecasters))
    title = f"{name}: {ours}, {scores.windows:,} windows of {scores.servers:,} servers on {scores.days} days"
    figure, axes = plots.sheet(2, 3, title)
    step_hours = grid.step_seconds / 3600
    hours = [lead * step_hours for lead in range(1, windows.truth.shape[1] + 1)]
    curves = {name: s.wql_by_lead for name, s in scores.forecasters.items()}
    curves |= {name: s.wql_by_lead for name, s in scores.baselines.items()}
    plots.loss_by_lead(axes[0], curves, hours)
    plots.coverage_by_lead(axes[1], {name: s.coverage_by_lead for name, s in scores.forecasters.items()}, hours)
    breach = {within: b.reliability for within, b in scores.forecasters[ours].breach.items()}
    plots.reliability(axes[2], breach, "breaches: said and happened")
    for axis, row in zip(axes[3:], plots.typical_rows(windows.truth), strict=True):
        plots.example(axis, _example(windows, row, grid, ours, result.metric.limit), levels, step_hours)
    return figure


def _example(windows: Windows, row: int, grid: Grid, ours: str, limit: float | None) -> plots.Example:
    server, column = windows.server[row : row + 1], windows.column[row : row + 1]
    before = grid.histories(server, column, max(HISTORY_HOURS * 3600 // grid.step_seconds, 2))[0]
    other = windows.answers[STATISTICAL].quantiles[row] if ours != STATISTICAL else None
    near = limit is not None and np.nanmax(np.abs(windows.truth[row])) > abs(limit) / 2
    return plots.Example(
        f"{grid.servers[int(server[0])]}, {moment(grid, int(column[0]))}",
        ours,
        before,
        windows.truth[row],
        windows.answers[ours].quantiles[row],
        other,
        limit if near else None,
    )


def _warnings(result: Result) -> Figure:
    events = next(iter(result.warnings.values())).events
    title = f"{result.metric.name} passing {result.metric.limit:g} within the hour: {events} breaches"
    figure, axes = plots.sheet(1, 3, title)
    measures = (
        ("precision", "true alarms of all", lambda w: w.precision),
        ("false alarms", "per server-day", lambda w: w.false_per_server_day),
        ("lead", "median minutes", lambda w: w.median_lead_minutes or 0.0),
    )
    for axis, (name, unit, measure) in zip(axes, measures, strict=True):
        _against_recall(axis, result.warnings, measure)
        axis.set(title=f"{name} by recall", xlabel="recall", ylabel=unit, xlim=(0, 1), ylim=(0, None))
    axes[0].set(ylim=(0, 1))
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def _against_recall(axis: Axes, warnings: dict[str, WarningScores], measure: Callable[[WarningScores], float]) -> None:
    """A curve over the thresholds of each forecaster, a point for each other rule."""
    curves: dict[str, list[tuple[str, WarningScores]]] = {}
    drawn = 0
    for rule, scores in warnings.items():
        name, sign, threshold = rule.partition(" p ≥ ")
        if sign:
            curves.setdefault(name, []).append((threshold, scores))
        else:
            shape = SHAPES[drawn % len(SHAPES)]
            axis.plot([scores.recall], [measure(scores)], shape, color=plots.TRUTH, label=rule)
            drawn += 1
    for name, points in curves.items():
        kept = [(threshold, w) for threshold, w in points if w.recall > 0]
        shade = plots.colour(name)
        axis.plot([w.recall for _, w in kept], [measure(w) for _, w in kept], marker=".", color=shade, label=name)
        for threshold, w in (one for one in kept if one[0] in LABELLED):
            axis.annotate(threshold, (w.recall, measure(w)), fontsize=7, xytext=(3, 3), textcoords="offset points")


def _retraining(result: Result) -> Figure:
    figure, (axis, right) = plots.sheet(1, 2, f"{result.metric.name}: trained anew before each stretch")
    days = [begin[5:10] for begin, _ in result.stretches]
    for name in result.scores.forecasters:
        curve = [scores.forecasters[name].wql for _, scores in result.stretches]
        axis.plot(days, curve, marker="o", color=plots.colour(name), label=name)
    axis.set(title="loss until the next training (WQL)", xlabel="trained until", ylim=(0, None))
    axis.legend(frameon=False, fontsize=8)
    ours = next(iter(result.scores.forecasters))
    pairs = [scores.relative[ours].get(STATISTICAL) for _, scores in result.stretches]
    for day, pair in zip(days, pairs, strict=True):
        if pair is not None:
            right.plot([day, day], [pair.wql.low, pair.wql.high], color=plots.colour(ours))
            right.plot([day], [pair.wql.value], marker="o", color=plots.colour(ours))
    right.axhline(1, color=plots.TRUTH, linewidth=0.8, linestyle="--")
    right.set(title=f"{ours} relative to {STATISTICAL} (90 %)", xlabel="trained until")
    return figure
