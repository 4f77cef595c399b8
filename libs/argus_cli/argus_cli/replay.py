"""``argus replay``: a recorded trace as a producer, in event-time order, at a chosen speed."""

import asyncio
import math
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from argus_cli.batch_sender import BatchSender
from argus_cli.trace_frame import Selection
from argus_cli.trace_player import Played, Player
from argus_cli.trace_records import Identity, Records, encode_in_slices
from argus_cli.trace_stream import Trace, stream_trace
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
    """What to send and how fast."""

    trace: Trace
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

    A trace may be larger than the memory; one that is not small goes through temporary files of about its size. Ctrl-C
    stops at once and says up to which event time the trace was sent.

    Examples: argus replay week.parquet --speed 600   ·   argus replay old.csv --rename host=server --shift-to-now
    """
    clock = SystemClock()
    selection = Selection(_pairs(rename or []), _utc(begin), _utc(until), servers)
    with console.status(f"Looking at {file} ..."):
        trace = stream_trace(file, selection)
    if shift_to_now:
        trace = trace.ending_at(clock.now_ms())
    settings = load(KafkaSettings)
    what = Replay(trace, Identity(fleet, profile), _speed(speed), topic)
    played, interrupted = asyncio.run(send(what, settings, clock))
    _tell(played, interrupted=interrupted)
    if interrupted:
        raise typer.Exit(INTERRUPTED)


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
            trace = what.trace
            task = progress.add_task("", total=trace.last_ms - trace.first_ms + 1, records="0", samples="0", moment="")

            def report(played: Played) -> None:
                done = (played.last_ms or trace.first_ms) - trace.first_ms
                records, samples = f"{played.records:,}", f"{played.samples:,}"
                progress.update(task, completed=done, records=records, samples=samples, moment=_text(played))

            player = Player(
                BatchSender(producer, settings.topic(what.topic)), clock, what.speed, stopped, report=report
            )
            played = await player.play(_encoded(trace, what.identity))
            if not stopped.is_set():
                progress.update(task, completed=trace.last_ms - trace.first_ms + 1)
    except KafkaError as error:
        raise TransientError(f"Kafka at {settings.bootstrap_servers}: {error}") from error
    finally:
        await producer.stop()
    return played, stopped.is_set()


def _encoded(trace: Trace, identity: Identity) -> Iterator[Records]:
    for part in trace.parts:
        yield from encode_in_slices(part, identity, ROWS_PER_SLICE)


def _progress() -> Progress:
    return Progress(
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TextColumn("{task.fields[records]} records"),
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
