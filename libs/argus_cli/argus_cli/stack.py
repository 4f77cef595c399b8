"""``argus stack up|down|status``: a real Kafka and Redis on this machine."""

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from argus_common.errors import TransientError
from argus_local import Ports, Stack
from argus_local.server import ServerStatus

DEFAULT_FOLDER = Path(".argus/stack")
SERVER_COUNT = 2

app = typer.Typer(
    help="A real Kafka and Redis on this machine, without containers.", no_args_is_help=True, add_completion=False
)
console = Console(stderr=True)

DataOption = Annotated[
    Path, typer.Option("--data", file_okay=False, help="Folder for topics, offsets, logs and process files.")
]


@app.command()
def up(
    data: DataOption = DEFAULT_FOLDER,
    detach: Annotated[
        bool, typer.Option("--detach/--foreground", help="Return when ready, or stay until Ctrl-C.")
    ] = True,
    kafka_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Kafka's port: 9092, else a free one.")
    ] = None,
    redis_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Redis's port: 6379, else a free one.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never download.")] = False,
) -> None:
    """Start Kafka and Redis, and print how to reach them.

    The export lines go to standard output, the rest to standard error: eval "$(argus stack up)" sets up a shell.
    """
    found = Stack.running_in(data)
    if found is not None and len(found.status()) == SERVER_COUNT:
        console.print(f"Already running on {data}.")
        _show(found)
        return
    if found is not None:
        found.stop()  # one of the two was lost; start both afresh on the same data
    usual = Ports.usual()
    stack = Stack(
        data,
        ports=Ports(kafka_port or usual.kafka, redis_port or usual.redis),
        detached=detach,
        offline=offline,
    )
    with console.status("Starting Kafka and Redis (the very first start downloads 45 MB) ..."):
        stack.start()
    _show(stack)
    if not detach:
        _hold(stack)


@app.command()
def down(data: DataOption = DEFAULT_FOLDER) -> None:
    """Stop Kafka and Redis; topics and offsets stay on disk. Fine when nothing runs."""
    stack = Stack.running_in(data)
    if stack is None:
        console.print(f"Nothing runs on {data}.")
        return
    with console.status("Stopping Kafka and Redis ..."):
        stack.stop()
    console.print(f"Stopped. Topics are kept in {data}; delete the folder to start from nothing.", soft_wrap=True)


@app.command()
def status(data: DataOption = DEFAULT_FOLDER) -> None:
    """Show what runs, with versions, memory and uptime; exits with 1 unless both servers run."""
    stack = Stack.running_in(data)
    if stack is None:
        console.print(f"Nothing runs on {data}. Start it with: argus stack up")
        raise typer.Exit(1)
    found = stack.status()
    console.print(_table(found))
    missing = {server.name for server in stack.servers} - {server.name for server in found}
    if missing:
        console.print(f"[red]Not running: {', '.join(missing)}[/]; `argus stack up` starts both again.")
        raise typer.Exit(1)


def _show(stack: Stack) -> None:
    console.print(_table(stack.status()))
    console.print(f"Logs and data in {stack.data_dir}; stop with: argus stack down", soft_wrap=True)
    typer.echo(f"export ARGUS_KAFKA_BOOTSTRAP_SERVERS={stack.bootstrap_servers}")
    typer.echo(f"export ARGUS_REDIS_URL={stack.redis_url}")


def _table(servers: list[ServerStatus]) -> Table:
    table = Table("server", "version", "address", "pid", "memory", "up for")
    for server in servers:
        memory = f"{server.memory_bytes / 1e6:,.0f} MB"
        table.add_row(
            server.name, server.version, server.address, str(server.pid), memory, _duration(server.uptime_seconds)
        )
    return table


def _duration(seconds: float) -> str:
    """Readable length of time.

    >>> _duration(42.4), _duration(3_700), _duration(200_000)
    ('42 s', '1 h 1 min', '2 d 7 h')
    """
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if not minutes:
        return f"{seconds:.0f} s"
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if not days else f"{days} d {hours % 24} h"


def _hold(stack: Stack) -> None:
    """Stay until Ctrl-C or SIGTERM, then stop both servers."""
    told_to_stop = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        told_to_stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    console.print("Ctrl-C stops both.")
    try:
        while not told_to_stop.wait(0.5):
            if len(stack.status()) < SERVER_COUNT:
                raise TransientError(f"a server has ended by itself; its log is in {stack.data_dir}")
    finally:
        stack.stop()
