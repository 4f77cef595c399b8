"""``argus simulate``: a simulated fleet as a producer, or into a file."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from argus_common.runtime import run_until_signal
from argus_common.settings import KafkaSettings, load
from argus_simulator.app import produce, write
from argus_simulator.domain.scenarios import Scenario
from argus_simulator.domain.simulation import Tick
from argus_simulator.domain.wire import Form
from argus_simulator.settings import SimulatorSettings

console = Console(stderr=True)


def simulate(
    servers: Annotated[int, typer.Option(min=7, help="Size of the fleet.")] = 90,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 7,
    scenario: Annotated[Scenario, typer.Option(help="What the fleet goes through after its past.")] = Scenario.HEALTHY,
    start: Annotated[
        datetime | None,
        typer.Option(help="Event time of the beginning (UTC); by default now, or so that a file ends now."),
    ] = None,
    duration: Annotated[
        int | None, typer.Option(min=1, help="Event seconds to produce; without an end by default.")
    ] = None,
    interval: Annotated[float, typer.Option(min=0.1, help="Event seconds between samples.")] = 10.0,
    speed: Annotated[str, typer.Option(help="Event seconds per second, or 'max'.")] = "1",
    history: Annotated[int, typer.Option(min=0, help="Event seconds of past to produce first, at full speed.")] = 0,
    history_interval: Annotated[float, typer.Option(min=1, help="Event seconds between samples of the past.")] = 300.0,
    form: Annotated[Form, typer.Option("--format", help="Samples per record.")] = Form.WIDE,
    missing: Annotated[float, typer.Option(min=0, max=1, help="Share of samples that never arrive.")] = 0.0,
    doubled: Annotated[float, typer.Option(min=0, max=1, help="Share of samples that arrive twice.")] = 0.0,
    delayed: Annotated[float, typer.Option(min=0, max=1, help="Share of samples that arrive a tick late.")] = 0.0,
    skewed: Annotated[float, typer.Option(min=0, max=1, help="Share of servers with a wrong clock.")] = 0.0,
    truth: Annotated[Path | None, typer.Option(dir_okay=False, help="File for the ground truth (NDJSON).")] = None,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write .parquet or .ndjson in place of Kafka.")
    ] = None,
) -> None:
    """Produce the samples of a fleet that could exist, with its faults and the truth about them.

    Examples: argus simulate --servers 200 --scenario degrading   ·   argus simulate --duration 604800 --interval 300
    --speed max --out week.parquet --truth truth.ndjson
    """
    if out is not None and duration is None:
        raise typer.BadParameter("a file needs an end: give --duration", param_hint="--out")
    settings = SimulatorSettings(
        servers=servers,
        seed=seed,
        scenario=scenario,
        start=_start(start, duration if out else None),
        duration=timedelta(seconds=duration) if duration else None,
        interval=timedelta(seconds=interval),
        speed=_speed(speed) if out is None else 0.0,
        history=timedelta(seconds=history),
        history_interval=timedelta(seconds=history_interval),
        form=form,
        missing=missing,
        doubled=doubled,
        delayed=delayed,
        skewed=skewed,
        truth=truth,
    )
    asyncio.run(run_until_signal(lambda stop: _simulate(settings, out, stop)))


def _start(asked: datetime | None, file_seconds: int | None) -> datetime | None:
    """The event time to begin at; a file of so many seconds ends now, as a recorded trace would."""
    if asked is not None:
        return asked.replace(tzinfo=UTC)
    return None if file_seconds is None else datetime.now(UTC) - timedelta(seconds=file_seconds)


async def _simulate(settings: SimulatorSettings, out: Path | None, stop: asyncio.Event) -> None:
    total = None
    if settings.duration is not None:
        total = (settings.duration + settings.history).total_seconds()
    with _progress() as progress:
        task = progress.add_task("", total=total, samples="0", moment="")
        count, first = 0, 0.0

        def report(_records: int, samples: int, tick: Tick) -> None:
            nonlocal count, first
            count, first = count + samples, first or tick.time_s
            moment = f"{datetime.fromtimestamp(tick.time_s, UTC):%Y-%m-%d %H:%M:%S}"
            progress.update(task, completed=tick.time_s - first, samples=f"{count:,}", moment=moment)

        if out is None:
            await produce(settings, load(KafkaSettings), stop, report)
        else:
            await write(settings, out, stop, report)
    console.print(f"Produced {count:,} samples of {settings.servers} servers.")


def _progress() -> Progress:
    return Progress(
        BarColumn(),
        TextColumn("{task.fields[samples]} samples"),
        TextColumn("[cyan]{task.fields[moment]}[/]"),
        TimeElapsedColumn(),
        console=console,
    )


def _speed(text: str) -> float:
    if text == "max":
        return 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if speed <= 0:
        raise typer.BadParameter(f"{text!r}: expected a positive number or 'max'", param_hint="--speed")
    return speed
