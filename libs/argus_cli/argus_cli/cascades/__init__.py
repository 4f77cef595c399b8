"""``argus cascades``: failures that spread: as they are told now, and in a recorded trace."""

import typer

from argus_cli.cascades.evaluate import evaluate
from argus_cli.cascades.origin import origin
from argus_cli.cascades.replay import replay
from argus_cli.cascades.watch import watch

app = typer.Typer(no_args_is_help=True, help="Failures that spread: as they are told now, and in a recorded trace.")


@app.callback()
def _root() -> None:
    """Makes the application a group of commands."""


app.command("watch")(watch)
app.command("replay")(replay)
app.command("origin")(origin)
app.command("evaluate")(evaluate)
