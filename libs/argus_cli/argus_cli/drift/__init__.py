"""``argus drift``: where the behaviour of a recorded trace has changed for good."""

import typer

from argus_cli.drift.evaluate import evaluate
from argus_cli.drift.scan import scan

app = typer.Typer(no_args_is_help=True, help="Drift in a recorded trace.")
app.command()(scan)
app.command()(evaluate)
