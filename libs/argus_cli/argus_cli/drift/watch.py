"""``argus drift watch``: follow the drifts of a fleet as they are told."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from argus_cli.drift.board import KINDS, DriftBoard
from argus_cli.drift.view import render
from argus_cli.event_follow import tell_lines, tell_view
from argus_cli.event_reader import listen
from argus_cli.spans import parse_span
from argus_common.clock import SystemClock
from argus_common.events import DriftEvent
from argus_common.settings import KafkaSettings, load
from argus_common.topics import DRIFT

console = Console()
Wanted = Callable[[DriftEvent], bool]


def watch(
    history: Annotated[
        str, typer.Option(metavar="SPAN", help="Begin with what was told since then: 24h, 30d.")
    ] = "14d",
    fleet: Annotated[str | None, typer.Option(help="Only this fleet.")] = None,
    servers: Annotated[
        bool, typer.Option("--servers/--no-servers", help="Also drifts of single servers, which are many.")
    ] = False,
    as_lines: Annotated[bool, typer.Option("--json", help="One JSON object per event, for scripts.")] = False,
    follow_on: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Go on after the history, until Ctrl-C.")
    ] = True,
) -> None:
    """What has changed for good: whose behaviour, of which kind, what it does to forecasts, whether retraining helps.

    Reads argus.drift.v1 of the broker at ARGUS_KAFKA_BOOTSTRAP_SERVERS.

    Examples: argus drift watch   ·   argus drift watch --history 30d --servers   ·   argus drift watch --json
    """
    span = parse_span(history)

    def wanted(event: DriftEvent) -> bool:
        return (fleet is None or event.fleet == fleet) and (servers or event.scope != "server")

    try:
        asyncio.run(_tell(span, wanted, as_lines=as_lines, follow_on=follow_on))
    except KeyboardInterrupt:
        raise typer.Exit from None


async def _tell(history: timedelta, wanted: Wanted, *, as_lines: bool, follow_on: bool) -> None:
    board, heard = DriftBoard(), listen(load(KafkaSettings), DRIFT, KINDS, history, SystemClock())

    def add(event: DriftEvent) -> bool:
        return wanted(event) and board.add(event)

    if as_lines:
        await tell_lines(heard, add, follow_on=follow_on)
    else:
        await tell_view(heard, add, lambda: render(board), console, follow_on=follow_on)
