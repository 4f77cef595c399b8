"""The training that ``argus train`` asks for."""

import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command was given; the options say what each means."""

    file: Path
    models: Path
    name: str
    version: str | None
    target: list[str] | None
    family: str
    preset: str
    horizon: int | None
    steps: int | None
    seed: int
    warm_start: Path | None
    exclude: Path | None
    validation: float
    test: float
    step: int | None
    work: Path | None
    notes: Path | None
    accelerator: str | None
    devices: int | None
    strategy: str
    precision: str | None


def carry_out(wanted: Wanted) -> None:
    """Train, and tell what came of it."""
    console.quiet = rank() > 0  # of several processes the first one speaks
    chosen = {"accelerator": wanted.accelerator, "devices": wanted.devices, "precision": wanted.precision}
    settings = with_steps(auto(_settings(wanted.family, wanted.preset), device()), wanted.steps)
    settings = replace(settings, seed=wanted.seed, strategy=wanted.strategy, **_told(chosen))
    warm = None if wanted.warm_start is None else load(wanted.warm_start)
    settings = settings if warm is None else replace(settings, network=warm[0].network)
    with tempfile.TemporaryDirectory() as scratch:
        with console.status(f"Reading {wanted.file} ..."):
            store = open_trace(wanted.file, wanted.step, Path(scratch) / "trace")
        left_out = None if wanted.exclude is None else excluded_steps(pl.read_parquet(wanted.exclude), store)
        text = "" if wanted.notes is None else wanted.notes.read_text()
        targets, label = _targets(store, wanted.target), _label(wanted.name, wanted.version)
        order = Order(*label, targets, settings, wanted.validation, wanted.test, left_out, warm, wanted.horizon, text)
        fitted = _train(store, order, wanted.models, wanted.work or Path(scratch) / "work")
    if fitted.stopped and wanted.work is not None and not fitted.rank:
        console.print(f"The checkpoint is in {wanted.work}: the same command with another --version goes on from it.")


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
