"""What a backtest found, as tables of at most a hundred columns."""

import math
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from argus_cli.backtest.replay import Result
from argus_common.durations import told
from argus_forecasting.backtest import Ratio
from argus_forecasting.backtest.evaluate import STATISTICAL
from argus_forecasting.backtest.warning_rules import THRESHOLDS

LEADS_MINUTES = (15, 60, 240, 480)
ENOUGH_IN_BIN = 100
"""Forecasts in a bin of probabilities before its reliability is judged."""
HIDDEN_THRESHOLDS = tuple(f"p ≥ {threshold:.1f}" for threshold in THRESHOLDS if threshold not in (0.2, 0.3, 0.5, 0.7))
"""Only in the JSON."""


def show(console: Console, results: list[Result], horizon: int, step_seconds: int) -> None:
    """Print everything that was scored."""
    console.print(_forecasts(results))
    for forecaster, baseline in _pairs(results):
        console.print(_relative(results, forecaster, baseline))
    console.print(_by_lead(results, horizon, step_seconds))
    if any(result.metric.limit is not None for result in results):
        console.print(_breaches(results))
    for result in results:
        if result.warnings:
            console.print(_warnings(result))
            console.print(_alarms(result))
        if len(result.stretches) > 1:
            console.print(_stretches(result))


def _table(title: str, left: tuple[str, ...], right: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in left:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _forecasts(results: list[Result]) -> Table:
    first = results[0].scores
    title = f"Forecasts: {first.windows:,} windows of {first.servers:,} servers on {first.days} days"
    table = _table(title, ("metric", "forecaster"), ("WQL", "MASE", "median", "coverage of 10–90 %"))
    for result in results:
        for name, s in result.scores.forecasters.items():
            row = (f"{s.wql:.3f}", f"{s.mase:.2f}", f"{s.mase_median:.2f}", f"{s.coverage:.2f}")
            table.add_row(result.metric.name, name, *row)
        for name, b in result.scores.baselines.items():
            table.add_row(result.metric.name, f"[dim]{name}[/]", f"{b.wql:.3f}", f"{b.mase:.2f}")
        table.add_section()
    return table


def _pairs(results: list[Result]) -> list[tuple[str, str]]:
    found = {
        (name, baseline): None
        for result in results
        for name, others in result.scores.relative.items()
        for baseline in others
    }
    return sorted(found, key=lambda pair: (pair[1] != STATISTICAL, pair[0]))


def _relative(results: list[Result], forecaster: str, baseline: str) -> Table:
    table = _table(
        f"{forecaster} relative to {baseline}, same windows: below 1 is better (90 %)",
        ("metric",),
        ("WQL", "typical server", "MASE"),
    )
    for result in results:
        pair = result.scores.relative[forecaster][baseline]
        table.add_row(result.metric.name, _ratio(pair.wql), _ratio(pair.typical), _ratio(pair.mase))
    return table


def _ratio(ratio: Ratio) -> str:
    """With its interval; green or red where that excludes 1."""
    colour = "green" if ratio.high < 1 else "red" if ratio.low > 1 else "default"
    return f"[{colour}]{ratio.value:.2f}[/] ({ratio.low:.2f} to {ratio.high:.2f})"


def _by_lead(results: list[Result], horizon: int, step_seconds: int) -> Table:
    leads = sorted({min(max(m * 60 // step_seconds, 1), horizon) for m in LEADS_MINUTES})
    columns = [_span(lead * step_seconds) for lead in leads]
    table = _table("By lead: WQL, and coverage of the 10–90 % band", ("metric", "forecaster"), columns)
    for result in results:
        for name, s in result.scores.forecasters.items():
            cells = [f"{s.wql_by_lead[k - 1]:.3f} {s.coverage_by_lead[k - 1]:.2f}" for k in leads]
            table.add_row(result.metric.name, name, *cells)
        for name, b in result.scores.baselines.items():
            cells = [f"{b.wql_by_lead[k - 1]:.3f}     " for k in leads]
            table.add_row(result.metric.name, f"[dim]{name}[/]", *cells)
        table.add_section()
    return table


def _span(seconds: int) -> str:
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min"


def _breaches(results: list[Result]) -> Table:
    table = _table(
        "Breach probabilities, from origins below the limit",
        ("metric", "forecaster"),
        ("within", "happened", "Brier skill", "reliability gap"),
    )
    for result in results:
        for name, s in result.scores.forecasters.items():
            for within, b in s.breach.items():
                gaps = [abs(p - share) for p, share, count in b.reliability if count >= ENOUGH_IN_BIN]
                row = (f"{b.base_rate:.1%}", f"{b.brier_skill:.2f}", f"{max(gaps, default=0):.2f}")
                table.add_row(result.metric.name, name, within, *row)
            if s.breach:
                table.add_section()
    return table


def _warnings(result: Result) -> Table:
    events = next(iter(result.warnings.values())).events
    limit = f"{result.metric.name} passing {result.metric.limit:g}"
    table = _table(
        f"Warnings of {limit} within the hour: {events} breaches",
        ("rule",),
        ("precision", "recall", "median lead", "false / server-day"),
    )
    for name, w in result.warnings.items():
        if name.endswith(HIDDEN_THRESHOLDS):
            continue
        lead = "–" if w.median_lead_minutes is None else f"{w.median_lead_minutes:g} min"
        table.add_row(name, f"{w.precision:.2f}", f"{w.recall:.2f}", lead, f"{w.false_per_server_day:.2f}")
    return table


def _alarms(result: Result) -> Table:
    table = _table(
        f"Alarms of {result.metric.name}, raised and ended as the service would",
        ("from",),
        ("hit", "late", "false", "precision", "recall", "lead", "false / server-day"),
    )
    for source, a in result.alarms.items():
        lead = "–" if math.isnan(a.median_lead_seconds) else told(a.median_lead_seconds)
        counts = [f"{count:,}" for count in (a.hits, a.late, a.false)]
        table.add_row(source, *counts, f"{a.precision:.2f}", f"{a.recall:.2f}", lead, f"{a.false_per_series_day:.2f}")
    return table


def _stretches(result: Result) -> Table:
    names = list(result.scores.forecasters)
    title = f"{result.metric.name}, retrained: WQL of what came until the next training"
    table = _table(title, ("trained until",), ("windows", *names, "relative (90 %)"))
    for begin, scores in result.stretches:
        pair = scores.relative[names[0]].get(STATISTICAL)
        losses = [f"{scores.forecasters[name].wql:.3f}" for name in names]
        table.add_row(begin, f"{scores.windows:,}", *losses, "" if pair is None else _ratio(pair.wql))
    return table
