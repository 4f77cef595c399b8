"""``argus cascades watch``: follow the cascades of a fleet as they are told."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from argus_cli.cascades.board import KINDS, CascadeBoard
from argus_cli.cascades.view import render
from argus_cli.event_follow import tell_lines, tell_view
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

    try:
        asyncio.run(_tell(span, wanted, as_lines=as_lines, follow_on=follow_on))
    except KeyboardInterrupt:
        raise typer.Exit from None


async def _tell(history: timedelta, wanted: Wanted, *, as_lines: bool, follow_on: bool) -> None:
    board, heard = CascadeBoard(), listen(load(KafkaSettings), CASCADES, KINDS, history, SystemClock())

    def add(event: CascadeEvent) -> bool:
        return wanted(event) and board.add(event)

    if as_lines:
        await tell_lines(heard, add, follow_on=follow_on)
    else:
        await tell_view(heard, add, lambda: render(board), console, follow_on=follow_on)
