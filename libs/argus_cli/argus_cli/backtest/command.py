"""The command's options, and what happens in which order."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from argus_cli.backtest import options
from argus_cli.backtest.document import write
from argus_cli.backtest.forecasters import Plan, Retraining, cadence, fixed
from argus_cli.backtest.replay import Result, begin_of, replay
from argus_cli.backtest.tables import show
from argus_cli.forecast import parse_levels, parse_limits
from argus_cli.models_option import open_forecaster
from argus_cli.progress import bars
from argus_cli.trace_archive import open_trace
from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.batch import Request, described
from argus_forecasting.trace_store import TraceStore

WIDTH = 100
console = Console(width=None if sys.stdout.isatty() else WIDTH)


def backtest(
    file: options.File,
    metric: options.Metric = None,
    horizon: options.Horizon = 96,
    every: options.Every = 48,
    model: options.Model = None,
    statistical: options.Statistical = False,
    retrain_every: options.RetrainEvery = None,
    retrain_steps: options.RetrainSteps = 500,
    warnings: options.Warnings = False,
    quantiles: options.Quantiles = "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9",
    step: options.Step = None,
    limit: options.Limit = None,
    servers: options.Servers = None,
    out: options.Out = None,
    plots: options.Plots = None,
) -> None:
    """Score a model, or the statistical forecaster, on a recorded trace, from rolling origins, without looking ahead.

    Losses are the weighted quantile loss (WQL) and the mean absolute scaled error (MASE); lower is better. A model is
    compared with the statistical forecaster over the very same windows; intervals are 90 %, from drawing servers and
    days again. With --warnings, alarms are scored beside Prometheus' predict_linear rule and yesterday's same hour.

    Examples: argus backtest week.parquet --metric cpu_used_pct --limit cpu_used_pct=90 --warnings --plots plots   ·
    argus backtest month.parquet --model models/web/1 --out scores.json   ·   argus backtest month.parquet
    --retrain-every 7 --retrain-steps 300
    """
    if retrain_every is not None and (model is not None or statistical):
        raise ConfigurationError("--retrain-every trains models of its own: leave --model and --statistical out")
    request = Request(horizon, parse_levels(quantiles), parse_limits(limit or []))
    with tempfile.TemporaryDirectory() as scratch:
        with console.status(f"Reading {file} ..."):
            store = open_trace(file, step, Path(scratch) / "trace", servers)
        names = metric or list(store.metrics)
        last = store.length - horizon
        with bars() as progress:
            if retrain_every is None:
                plan = fixed(open_forecaster(model, statistical=statistical), begin_of(store), last)
            else:
                retraining = Retraining(tuple(names), retrain_every, retrain_steps, horizon)
                plan = cadence(store, retraining, begin_of(store), last, Path(scratch), progress)
            results = _replay(store, names, plan, request, every, progress, plots, warned=warnings)
    if not results:
        raise ConfigurationError(f"{file}: no window of {horizon} steps with enough history; try --horizon or --every")
    show(console, results, horizon, store.step_seconds)
    if out is not None:
        write(out, file, results, request, every, store)
    for result in results:
        for picture in result.pictures:
            console.print(f"Wrote {picture}")


def _replay(
    store: TraceStore,
    names: list[str],
    plan: Plan,
    request: Request,
    every: int,
    progress: Progress,
    plots: Path | None,
    *,
    warned: bool,
) -> list[Result]:
    results = []
    for name in names:
        what = described(name, DEFAULT_CATALOGUE, request)
        found = replay(store.grid(name), plan, what, request, every, progress, warned=warned)
        if found is None:
            continue
        result, windows = found
        if plots is not None:
            from argus_cli.backtest.plots import draw  # noqa: PLC0415 - matplotlib only where it is wanted

            pictures = draw(plots, result, windows, store.grid(name), request.levels)
            result = replace(result, pictures=tuple(pictures))
        results.append(result)
    return results
