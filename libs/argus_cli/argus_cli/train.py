"""``argus train``: a model from a recorded trace or an archive."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from argus_cli import train_options as options
from argus_cli.progress import bars
from argus_cli.trace_archive import open_trace
from argus_common.clock import SystemClock
from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.exclusions import excluded_steps
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.trained.artefact import load, read_manifest
from argus_forecasting.training.card import figure
from argus_forecasting.training.fit import Fitted, rank
from argus_forecasting.training.module import TRAINING_LOSS, VALIDATION_LOSS
from argus_forecasting.training.presets import PRESETS, TrainingSettings, auto, device
from argus_forecasting.training.run import Order, Reports, train, with_steps

console = Console(stderr=True)


def train_command(
    file: options.File,
    models: options.Models = Path("models"),
    name: options.Name = "fleet",
    version: options.Version = None,
    target: options.Target = None,
    family: options.Family = "residual",
    preset: options.Preset = "small",
    horizon: options.Horizon = None,
    steps: options.Steps = None,
    seed: options.Seed = 7,
    warm_start: options.WarmStart = None,
    exclude: options.Exclude = None,
    validation: options.Validation = 0.15,
    test: options.Test = 0.0,
    step: options.Step = None,
    work: options.Work = None,
    notes: options.Notes = None,
    accelerator: options.Accelerator = None,
    devices: options.Devices = None,
    strategy: options.Strategy = "auto",
    precision: options.Precision = None,
) -> None:
    """Train a model on a recorded trace: in time order, validated on its newest part, ready for --model.

    A trace may be larger than memory: it becomes an array in the temporary folder (TMPDIR), 6 bytes for each metric,
    server and step. Ctrl-C stops after the current step and still writes the best model so far; with --work, the same
    command with another --version goes on from there.

    Examples: argus train month.parquet --name web --version 1   ·   argus train archive/ --name web --version 2
    --warm-start models/web/1   ·   argus forecast week.parquet --every 12 --model models/web/1 --out forecast.parquet
    """
    console.quiet = rank() > 0  # of several processes the first one speaks
    chosen = {"accelerator": accelerator, "devices": devices, "precision": precision}
    settings = with_steps(auto(_settings(family, preset), device()), steps)
    settings = replace(settings, seed=seed, strategy=strategy, **_told(chosen))
    warm = None if warm_start is None else load(warm_start)
    settings = settings if warm is None else replace(settings, network=warm[0].network)
    with tempfile.TemporaryDirectory() as scratch:
        with console.status(f"Reading {file} ..."):
            store = open_trace(file, step, Path(scratch) / "trace")
        left_out = None if exclude is None else excluded_steps(pl.read_parquet(exclude), store)
        text = "" if notes is None else notes.read_text()
        targets, label = _targets(store, target), _label(name, version)
        order = Order(*label, targets, settings, validation, test, left_out, warm, horizon, text)
        fitted = _train(store, order, models, work or Path(scratch) / "work")
    if fitted.stopped and work is not None and not fitted.rank:
        console.print(f"The checkpoint is in {work}: the same command with another --version goes on from it.")


def _train(store: TraceStore, order: Order, models: Path, work: Path) -> Fitted:
    with bars(console) as progress:
        place, fitted = train(store, DEFAULT_CATALOGUE, order, models, work, _reports(progress, order))
    if fitted.rank:
        return fitted
    _tell(place)
    if fitted.stopped:
        planned = order.settings.steps
        console.print(f"[yellow]Stopped at step {fitted.step} of {planned}: the best model so far is kept.[/]")
    console.print(f"Wrote {place}. Its card: {place / 'card.md'}")
    return fitted


def _told(options: dict[str, Any]) -> dict[str, Any]:
    """Those options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _label(name: str, version: str | None) -> tuple[str, str, str]:
    """Name, version and time of creation."""
    now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
    return name, version or f"{now:%Y%m%dt%H%M%Sz}", f"{now:%Y-%m-%dT%H:%M:%SZ}"


def _settings(family: str, preset: str) -> TrainingSettings:
    if (family, preset) not in PRESETS:
        known = ", ".join(f"--family {f} --preset {p}" for f, p in PRESETS)
        raise ConfigurationError(f"no preset {preset!r} of family {family!r}; there are {known}")
    return PRESETS[family, preset]


def _targets(store: TraceStore, wanted: list[str] | None) -> tuple[str, ...]:
    if wanted:
        return tuple(dict.fromkeys(wanted))
    known = tuple(metric.name for metric in DEFAULT_CATALOGUE.targets() if metric.name in store.metrics)
    if not known:
        raise ConfigurationError(
            f"the trace has none of the catalogue's targets: give --target, one of {store.metrics}"
        )
    return known


def _reports(progress: Progress, order: Order) -> Reports:
    tasks: dict[str, TaskID] = {}

    def stage(text: str) -> None:
        if text == "training":
            tasks["step"] = progress.add_task(text, total=order.settings.steps, unit="steps")
        elif text == "assessing":
            progress.update(tasks["step"], total=progress.tasks[tasks["step"]].completed)
            tasks["window"] = progress.add_task(text, total=order.settings.validation_windows, unit="windows")

    def step(done: int, _steps: int, losses: dict[str, float]) -> None:
        shown = {TRAINING_LOSS: "loss", VALIDATION_LOSS: "validation"}
        text = " · ".join(f"{label} {losses[name]:.4f}" for name, label in shown.items() if name in losses)
        progress.update(tasks["step"], completed=done, unit=f"steps [cyan]{text}[/]")

    return Reports(stage, step, lambda windows: progress.advance(tasks["window"], windows))


def _tell(place: Path) -> None:
    manifest = read_manifest(place)
    table = Table(title="On the newest part of the trace, which was not trained on", title_justify="left")
    for column in ("target", "forecaster", "WQL", "MASE", "coverage by third"):
        table.add_column(column, justify="left" if column in ("target", "forecaster") else "right")
    for target, found in manifest.assessed().items():
        for kind, scores in found.items():
            thirds = " ".join(f"{share:.2f}" for share in scores["coverage_10_90"])
            table.add_row(target, kind, f"{scores['wql']:.4f}", figure(scores["mase"]), thirds)
    console.print(table)
