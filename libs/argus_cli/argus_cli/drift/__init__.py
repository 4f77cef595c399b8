"""``argus drift``: where the behaviour of a recorded trace has changed for good."""

import typer

app = typer.Typer(no_args_is_help=True, help="Drift in a recorded trace.")


@app.callback()
def _root() -> None:
    """Makes the application a group of commands."""
