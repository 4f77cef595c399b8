"""The ``argus`` command. Each command lives in a module of its own, which is only loaded when it is asked for."""

import importlib
import sys
from collections.abc import Callable
from typing import Any

import typer
import typer.main
from rich.console import Console
from typer._click.core import Command, Context
from typer.core import TyperCommand, TyperGroup

from argus_common.errors import ArgusError, ConfigurationError

EXIT_FAILED, EXIT_CONFIGURATION = 1, 2

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("argus_cli.demo:demo", "The whole system on this machine, with a live view."),
    "stack": ("argus_cli.stack:app", "A real Kafka and Redis on this machine: up, down, status."),
    "topics": ("argus_cli.topics:app", "The topic catalogue: list it, create it on a broker."),
    "run": ("argus_cli.run:run", "One service in the foreground."),
    "alerts": ("argus_cli.alerts:app", "Which limits will be crossed, soonest first; how alerts ended."),
    "simulate": ("argus_cli.simulate:simulate", "Produce a simulated fleet: scenarios, faults, any speed."),
    "replay": ("argus_cli.replay:replay", "Produce a recorded trace (Parquet, CSV) at any speed."),
    "dead-letters": ("argus_cli.dead_letters:app", "What could not be read, and why; send it again."),
    "forecast": ("argus_cli.forecast:forecast", "Forecast a recorded trace from chosen origins."),
    "archive": ("argus_cli.archive:app", "The retrainer's archive of all windows: what it holds, a trace from it."),
    "train": ("argus_cli.train:train_command", "Train a model on a recorded trace."),
    "models": ("argus_cli.models:app", "Model versions: list, show, verify, promote, roll back."),
    "cascades": ("argus_cli.cascades:app", "Failures that spread: watch them now, or find them in a recorded trace."),
    "drift": ("argus_cli.drift:app", "What has changed for good: watch it now, or find it in a recorded trace."),
    "backtest": ("argus_cli.backtest:backtest", "Score forecasts of a recorded trace against the baselines."),
}
"""Command → (where it is, what it does)."""


class LazyGroup(TyperGroup):
    """Lists all commands without importing them."""

    def list_commands(self, ctx: Context) -> list[str]:
        """Their names, in the order of a first day with Argus."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """The command of that name, imported now; for the overview only its name and summary."""
        if cmd_name not in COMMANDS:
            return None
        place, summary = COMMANDS[cmd_name]
        if ctx.resilient_parsing or not _is_asked_for(cmd_name):
            return TyperCommand(cmd_name, help=summary)
        module, _, name = place.partition(":")
        return _command(cmd_name, getattr(importlib.import_module(module), name))


def _is_asked_for(name: str) -> bool:
    return name in sys.argv[1:]


def _command(name: str, found: typer.Typer | Callable[..., Any]) -> Command:
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    single = typer.Typer(add_completion=False)
    single.command(name)(found)
    return typer.main.get_command(single)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Argus forecasts every server of a fleet and says which will breach a limit, when, and how likely.",
    epilog="Start with **argus demo**. `argus COMMAND --help` explains a command with examples.",
)


@app.callback()
def _root() -> None:
    """Makes the application a group of commands; they share no options."""


def main() -> None:
    """Run the command; errors that we raise on purpose are told in one line, with an exit code."""
    try:
        app()
    except ArgusError as error:
        Console(stderr=True).print(f"[bold red]argus:[/] {error}", highlight=False)
        sys.exit(EXIT_CONFIGURATION if isinstance(error, ConfigurationError) else EXIT_FAILED)


if __name__ == "__main__":
    main()
