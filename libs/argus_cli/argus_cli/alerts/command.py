"""The command: follow alerts, act on one, schedule a maintenance."""

import asyncio
import getpass
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console

from argus_cli.alerts.board import KINDS, Board
from argus_cli.alerts.view import render
from argus_cli.event_follow import tell_lines, tell_view
from argus_cli.event_reader import listen
from argus_cli.spans import parse_span
from argus_common.clock import SystemClock
from argus_common.errors import ConfigurationError
from argus_common.events import AlertEvent, BreachMitigated, Event, MaintenanceScheduled, StandingAlert, encode
from argus_common.kafka.outbox import Outbox
from argus_common.settings import KafkaSettings, load
from argus_common.topics import ALERTS, COMMANDS

SOURCE = "/argus/cli"

app = typer.Typer(
    add_completion=False,
    invoke_without_command=True,
    epilog="Outcomes: hit = crossed after the alert; late = crossed before "
    "anybody was told; false = did not come; mitigated = someone acted; unknown = data stopped.",
)
console = Console()

Wanted = Callable[[AlertEvent], bool]
History = Annotated[str, typer.Option(metavar="SPAN", help="Begin with what was told since then: 30m, 24h, 7d.")]


@app.callback()
def follow(
    context: typer.Context,
    history: History = "24h",
    fleet: Annotated[str | None, typer.Option(help="Only this fleet.")] = None,
    server: Annotated[str | None, typer.Option(help="Only this server.")] = None,
    as_lines: Annotated[bool, typer.Option("--json", help="One JSON object per event, for scripts.")] = False,
    follow_on: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Go on after the history, until Ctrl-C.")
    ] = True,
) -> None:
    """Which limits will be crossed, soonest first, and how earlier alerts ended.

    Reads argus.alerts.v1 of the broker at ARGUS_KAFKA_BOOTSTRAP_SERVERS.

    Examples: argus alerts   ·   argus alerts --history 7d --no-follow   ·   argus alerts --json --server web1
    """
    if context.invoked_subcommand is not None:
        return
    span = parse_span(history)

    def wanted(event: AlertEvent) -> bool:
        return (fleet is None or event.fleet == fleet) and (server is None or event.server == server)

    try:
        asyncio.run(_tell(span, wanted, as_lines=as_lines, follow_on=follow_on))
    except KeyboardInterrupt:
        raise typer.Exit from None


@app.command()
def mitigate(
    alert: Annotated[
        str, typer.Argument(metavar="ALERT", help="Its server, SERVER/TARGET, or id (argus alerts --json).")
    ],
    by: Annotated[str | None, typer.Option(help="Who acts; you by default.")] = None,
    note: Annotated[str, typer.Option(help="What is done.")] = "",
) -> None:
    """Say that someone acts on an alert: it ends as mitigated, and is not raised again before it has calmed.

    Example: argus alerts mitigate web1/disk_usage_pct --note "old logs deleted"
    """
    found = asyncio.run(_standing(alert))
    if len(found) != 1:
        known = "".join(f"\n  {one.alert}" for one in found) or " none of that server, target or id stands"
        raise ConfigurationError(f"{alert}: expected one alert that stands, found{known}")
    moment = SystemClock().now_ms()
    _send(BreachMitigated(alert=found[0].alert, requested_ms=moment, by=by or getpass.getuser(), note=note))
    console.print(f"Told inference: {found[0].alert} ends with the server's next window.", highlight=False)


@app.command()
def maintenance(
    lasting: Annotated[str, typer.Argument(metavar="SPAN", help="How long it takes: 30m, 2h, 1d.")],
    server: Annotated[str | None, typer.Option(help="This server; the whole fleet by default.")] = None,
    fleet: Annotated[str, typer.Option(help="Its fleet.")] = "default",
    start: Annotated[datetime | None, typer.Option(help="Event time of the beginning (UTC); now by default.")] = None,
    note: Annotated[str, typer.Option(help="What is done.")] = "",
) -> None:
    """Schedule work on a server or a fleet: alerts that stand then end as mitigated, and none is raised meanwhile.

    Example: argus alerts maintenance 2h --server db1 --note "kernel update"
    """
    begin = start.replace(tzinfo=UTC) if start else datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
    first = round(begin.timestamp() * 1000)
    last = first + round(parse_span(lasting).total_seconds() * 1000)
    _send(MaintenanceScheduled(fleet=fleet, server=server, start_ms=first, end_ms=last, note=note))
    whom = f"server {server} of fleet {fleet}" if server else f"fleet {fleet}"
    console.print(f"Told inference: maintenance of {whom} from {begin:%Y-%m-%d %H:%M} UTC for {lasting}.")


async def _tell(history: timedelta, wanted: Wanted, *, as_lines: bool, follow_on: bool) -> None:
    board, heard = Board(), listen(load(KafkaSettings), ALERTS, KINDS, history, SystemClock())

    def add(event: AlertEvent) -> bool:
        return wanted(event) and board.add(event)

    if as_lines:
        await tell_lines(heard, add, follow_on=follow_on)
    else:
        await tell_view(heard, add, lambda: render(board), console, follow_on=follow_on)


async def _standing(text: str) -> list[StandingAlert]:
    board = Board()
    async for heard in listen(load(KafkaSettings), ALERTS, KINDS, ALERTS.retention, SystemClock()):
        for event in heard.events:
            board.add(event)
        if heard.caught_up:
            break
    return board.find(text)


def _send(event: Event) -> None:
    asyncio.run(_sent(event))


async def _sent(event: Event) -> None:
    outbox = Outbox(load(KafkaSettings), "argus-cli")
    await outbox.start()
    try:
        await outbox.send(COMMANDS.name, [encode(event, SOURCE)])
    finally:
        await outbox.stop()
