"""``argus cascades``: which servers of a recorded trace were abnormal together, and who began."""

import typer

from argus_cli.cascades.evaluate import evaluate
from argus_cli.cascades.origin import origin
from argus_cli.cascades.replay import replay

app = typer.Typer(no_args_is_help=True, help="Cascades of failure in a recorded trace.")


@app.callback()
def _root() -> None:
    """Makes the application a group of commands."""


app.command("replay")(replay)
app.command("origin")(origin)
app.command("evaluate")(evaluate)
