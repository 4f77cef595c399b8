"""``argus drift``: what has changed for good, now and in a recorded trace."""

import typer

from argus_cli.drift.evaluate import evaluate
from argus_cli.drift.scan import scan
from argus_cli.drift.watch import watch

app = typer.Typer(no_args_is_help=True, help="What has changed for good: watch it now, or find it in a recorded trace.")
app.command()(watch)
app.command()(scan)
app.command()(evaluate)
