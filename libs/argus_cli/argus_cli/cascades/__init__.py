"""``argus cascades``: which servers of a recorded trace were abnormal together, and who began."""

import typer

from argus_cli.cascades.origin import origin

app = typer.Typer(no_args_is_help=True, help="Cascades of failure in a recorded trace.")


@app.callback()
def _root() -> None:
    """Makes the application a group of commands."""


app.command("origin")(origin)
