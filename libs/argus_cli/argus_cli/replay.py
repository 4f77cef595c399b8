"""``argus replay``: a recorded trace as a producer, in event-time order, at a chosen speed."""

import asyncio
import math
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from argus_cli.batch_sender import BatchSender
from argus_cli.trace_frame import Selection, read_trace
from argus_cli.trace_player import Played, Player
from argus_cli.trace_records import Identity, encode_in_slices
from argus_common.clock import Clock, SystemClock
from argus_common.errors import ConfigurationError, TransientError
from argus_common.kafka import build_producer
from argus_common.kafka.provision import provision
from argus_common.settings import KafkaSettings, load
from argus_common.topics import METRICS

ROWS_PER_SLICE = 20_000
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

console = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Replay:
    """What to send and how fast. ``rows`` as ``encode`` wants them."""

    rows: pl.DataFrame
    identity: Identity
    speed: float
    topic: str = METRICS.name


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Parquet or CSV, wide or long.")],
    speed: Annotated[str, typer.Option(help="Event seconds per second, or 'max'.")] = "max",
    fleet: Annotated[str, typer.Option(help="Fleet of servers for which the trace names none.")] = "default",
    profile: Annotated[str | None, typer.Option(help="Profile of servers for which the trace names none.")] = None,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="Rename a column; may be repeated.")
    ] = None,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move event time so that the last row is now.")
    ] = False,
    begin: Annotated[datetime | None, typer.Option("--from", help="First event time (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Event time to stop before (UTC).")] = None,
    servers: Annotated[int | None, typer.Option(min=1, help="Only the first N servers by name.")] = None,
    topic: Annotated[str, typer.Option(help="Where to send.")] = METRICS.name,
) -> None:
    """Send a recorded trace to Kafka as if its servers reported now, in event-time order.

    Ctrl-C stops at once and says up to which event time the trace was sent.
    """
    clock = SystemClock()
    selection = Selection(_pairs(rename or []), _utc(begin), _utc(until), servers)
    with console.status(f"Reading {file} ..."):
        rows = read_trace(file, selection)
    if shift_to_now:
        rows = ending_at(rows, clock.now_ms())
    settings = load(KafkaSettings)
    what = Replay(rows, Identity(fleet, profile), _speed(speed), topic)
    played, interrupted = asyncio.run(send(what, settings, clock))
    _tell(played, interrupted=interrupted)
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def ending_at(rows: pl.DataFrame, moment_ms: int) -> pl.DataFrame:
    """The same rows with event times moved so that the last one is ``moment_ms``."""
    return rows.with_columns(pl.col("timestamp") - pl.col("timestamp").max() + moment_ms)


async def send(what: Replay, settings: KafkaSettings, clock: Clock) -> tuple[Played, bool]:
    """Send it all, or until SIGINT or SIGTERM; what was sent, and whether a signal ended it.

    Raises:
        TransientError: Kafka can't be reached or did not take the records in time.
    """
    if what.topic == METRICS.name:
        await provision(settings, (METRICS,))
    producer = build_producer(settings, client_id="argus-replay")
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await producer.start()
        with _progress() as progress:
            task = progress.add_task("", total=what.rows.height, samples="", moment="")

            def report(played: Played) -> None:
                progress.update(task, completed=played.records, samples=f"{played.samples:,}", moment=_text(played))

            player = Player(
                BatchSender(producer, settings.topic(what.topic)), clock, what.speed, stopped, report=report
            )
            played = await player.play(encode_in_slices(what.rows, what.identity, ROWS_PER_SLICE))
            if not stopped.is_set():  # rows without any value gave no record
                progress.update(task, total=played.records)
    except KafkaError as error:
        raise TransientError(f"Kafka at {settings.bootstrap_servers}: {error}") from error
    finally:
        await producer.stop()
    return played, stopped.is_set()


def _progress() -> Progress:
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("records"),
        TextColumn("{task.fields[samples]} samples"),
        TextColumn("[cyan]{task.fields[moment]}[/]"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
    )


def _tell(played: Played, *, interrupted: bool) -> None:
    sent = f"{played.records:,} records with {played.samples:,} samples"
    if not interrupted:
        console.print(f"Sent {sent}.")
    elif played.last_ms is None:
        console.print("Stopped before anything was sent.")
    else:
        console.print(f"Stopped after {sent}, the last of them of {_text(played)}.")


def _text(played: Played) -> str:
    """The event time of the last record, UTC."""
    return "" if played.last_ms is None else f"{datetime.fromtimestamp(played.last_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _speed(text: str) -> float:
    try:
        speed = math.inf if text == "max" else float(text.removesuffix("x"))
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise ConfigurationError(f"--speed {text}: expected a number above 0, such as 1000, or max")
    return speed


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = [text.split("=", 1) for text in texts]
    wrong = [text for text, pair in zip(texts, pairs, strict=True) if len(pair) != 2 or not all(pair)]
    if wrong:
        raise ConfigurationError(f"--rename {wrong[0]}: expected OLD=NEW")
    return dict(pairs)
