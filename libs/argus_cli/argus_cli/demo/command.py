"""The command: set up, fill the past, watch the present, sum up."""

import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from argus_cli.demo.director import Director
from argus_cli.demo.feeds import Feed, SimulatedFeed, TraceFeed
from argus_cli.demo.site import DemoSite
from argus_cli.screen import wide_console

console = wide_console()


def demo(
    seconds: Annotated[int, typer.Option(min=20, max=86_400, help="How long to watch, after the set-up.")] = 300,
    servers: Annotated[int, typer.Option(min=1, max=2000, help="Size of the fleet.")] = 40,
    trace: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A recorded trace (Parquet, CSV) in place of the simulator."),
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="Rename a column of the trace; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the simulated fleet.")] = 7,
) -> None:
    """Run the whole system on this machine and watch it.

    A real Kafka and Redis start, eight days of a fleet's past flow through ingest, inference forecasts every server,
    and after a minute something goes wrong: see the forecast warn before the limit is crossed. Event time runs 120
    times faster than the clock. It ends by itself with a summary; Ctrl-C ends it sooner and leaves nothing behind.

    Examples: argus demo   ·   argus demo --seconds 120 --servers 100   ·   argus demo --trace week.parquet
    """
    feed: Feed = SimulatedFeed(servers, seconds, seed)
    if trace is not None:
        feed = TraceFeed(trace, servers, seconds, tuple(rename or ()))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="argus-demo-") as folder:
        site = DemoSite(Path(folder), feed.settings(Path(folder)))
        director = Director(site, feed, console, seconds=seconds, began=began)
        try:
            with director.telling("Starting Kafka and Redis (the very first start fetches 45 MB)"):
                site.__enter__()
            director.run()
        except KeyboardInterrupt:
            console.print("\nStopping ...")
        finally:
            site.__exit__(None, None, None)
        director.sum_up()
