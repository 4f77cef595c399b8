"""``argus cascades watch``: follow the cascades of a fleet as they are told."""

import asyncio
import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from argus_cli.cascades.board import KINDS, CascadeBoard
from argus_cli.cascades.view import render
from argus_cli.event_reader import listen
from argus_cli.spans import parse_span
from argus_common.clock import SystemClock
from argus_common.events import CascadeEvent
from argus_common.settings import KafkaSettings, load
from argus_common.topics import CASCADES

console = Console()
Wanted = Callable[[CascadeEvent], bool]


def watch(
    history: Annotated[str, typer.Option(metavar="SPAN", help="Begin with what was told since then: 30m, 7d.")] = "24h",
    fleet: Annotated[str | None, typer.Option(help="Only this fleet.")] = None,
    as_lines: Annotated[bool, typer.Option("--json", help="One JSON object per event, for scripts.")] = False,
    follow_on: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Go on after the history, until Ctrl-C.")
    ] = True,
) -> None:
    """Which failures spread now, worst first: who is unwell, who began, who is next; and how earlier ones ended.

    Reads argus.cascades.v1 of the broker at ARGUS_KAFKA_BOOTSTRAP_SERVERS.

    Examples: argus cascades watch   ·   argus cascades watch --history 7d --no-follow   ·   argus cascades watch --json
    """
    span = parse_span(history)

    def wanted(event: CascadeEvent) -> bool:
        return fleet is None or event.fleet == fleet

    telling = _tell_lines if as_lines else _tell_board
    try:
        asyncio.run(telling(span, wanted, follow_on))
    except KeyboardInterrupt:
        raise typer.Exit from None


async def _tell_board(history: timedelta, wanted: Wanted, follow_on: bool) -> None:
    board, live = CascadeBoard(), Live(console=console, auto_refresh=False)
    with live if follow_on else nullcontext():
        async for heard in listen(load(KafkaSettings), CASCADES, KINDS, history, SystemClock()):
            for event in filter(wanted, heard.events):
                board.add(event)
            if heard.caught_up and follow_on:
                live.update(render(board), refresh=True)
            elif heard.caught_up:
                console.print(render(board))
                return


async def _tell_lines(history: timedelta, wanted: Wanted, follow_on: bool) -> None:
    board = CascadeBoard()
    async for heard in listen(load(KafkaSettings), CASCADES, KINDS, history, SystemClock()):
        for event in filter(wanted, heard.events):
            if board.add(event):
                line = {"type": event.type, "id": event.id(), **event.model_dump(mode="json")}
                print(json.dumps(line, ensure_ascii=False), flush=True)  # noqa: T201 - lines for a pipe, never wrapped
        if heard.caught_up and not follow_on:
            return
