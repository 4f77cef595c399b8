"""``argus train``: a model from a recorded trace or an archive."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from argus_cli.exclusions import excluded_steps
from argus_cli.progress import bars
from argus_cli.trace_archive import open_trace
from argus_common.clock import SystemClock
from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.trained.artefact import load, read_manifest
from argus_forecasting.training.card import figure
from argus_forecasting.training.fit import Fitted, rank
from argus_forecasting.training.module import TRAINING_LOSS, VALIDATION_LOSS
from argus_forecasting.training.presets import PRESETS, TrainingSettings, auto, device
from argus_forecasting.training.run import Order, Reports, train, with_steps

console = Console(stderr=True)


def train_command(
    file: Annotated[Path, typer.Argument(exists=True, help="Parquet, a folder of Parquet files, or CSV.")],
    models: Annotated[Path, typer.Option(file_okay=False, help="The model store to write into.")] = Path("models"),
    name: Annotated[str, typer.Option(help="Name of the model.")] = "fleet",
    version: Annotated[str | None, typer.Option(help="Its version; the time of day by default.")] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="Metric to forecast; repeatable. The catalogue's targets by default.")
    ] = None,
    family: Annotated[str, typer.Option(help="residual (fast, the default) or tft.")] = "residual",
    preset: Annotated[str, typer.Option(help="small (two CPU cores, under an hour) or large (a GPU).")] = "small",
    horizon: Annotated[
        int | None, typer.Option(min=2, help="Steps that the model forecasts; 96, or the warm start's.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Optimiser steps, in place of the preset's.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and data give the same model.")] = 7,
    warm_start: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of a version to train further.")
    ] = None,
    exclude: Annotated[
        Path | None, typer.Option(exists=True, help="Parquet with server, begin, end: spans not to learn from.")
    ] = None,
    validation: Annotated[float, typer.Option(min=0.01, max=0.5, help="Share of the span to validate on.")] = 0.15,
    test: Annotated[float, typer.Option(min=0.0, max=0.5, help="Share at the end that is left untouched.")] = 0.0,
    step: Annotated[int | None, typer.Option(min=1, help="Seconds per step; inferred by default.")] = None,
    work: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder for the checkpoint: run again to go on.")
    ] = None,
    notes: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Markdown for the card: whose data, its licence.")
    ] = None,
    accelerator: Annotated[
        str | None, typer.Option(help="Lightning's: cpu, cuda, mps. What is here by default.")
    ] = None,
    devices: Annotated[int | None, typer.Option(min=1, help="Lightning's: how many of them. All by default.")] = None,
    strategy: Annotated[str, typer.Option(help="Lightning's: ddp, ddp_spawn, fsdp …")] = "auto",
    precision: Annotated[
        str | None, typer.Option(help="Lightning's: 32-true, bf16-mixed … What suits the device by default.")
    ] = None,
) -> None:
    """Train a model on a recorded trace: in time order, validated on its newest part, ready for --model.

    A trace may be larger than memory: it becomes an array in the temporary folder (TMPDIR), 6 bytes for each metric,
    server and step. Ctrl-C stops after the current step and still writes the best model so far; with --work, the same
    command with another --version goes on from there.

    Examples: argus train month.parquet --name web --version 1   ·   argus train archive/ --name web --version 2
    --warm-start models/web/1   ·   argus forecast week.parquet --every 12 --model models/web/1 --out forecast.parquet
    """
    console.quiet = rank() > 0  # of several processes the first one speaks
    settings = replace(with_steps(auto(_settings(family, preset), device()), steps), seed=seed, strategy=strategy)
    settings = replace(
        settings,
        accelerator=accelerator or settings.accelerator,
        devices=devices or settings.devices,
        precision=precision or settings.precision,
    )
    warm = None if warm_start is None else load(warm_start)
    settings = settings if warm is None else replace(settings, network=warm[0].network)
    with tempfile.TemporaryDirectory() as scratch:
        with console.status(f"Reading {file} ..."):
            store = open_trace(file, step, Path(scratch) / "trace")
        order = Order(
            *_label(name, version),
            _targets(store, target),
            settings,
            validation,
            test,
            None if exclude is None else excluded_steps(pl.read_parquet(exclude), store),
            warm,
            horizon,
            "" if notes is None else notes.read_text(),
        )
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
    for target in manifest.schema.targets:
        for kind, scores in manifest.scores.get(target, {}).items():
            thirds = " ".join(f"{share:.2f}" for share in scores["coverage_10_90"])
            table.add_row(target, kind, f"{scores['wql']:.4f}", figure(scores["mase"]), thirds)
    console.print(table)
