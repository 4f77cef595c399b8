"""Bars that say how far a command is, and how long it still takes."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def bars(console: Console | None = None) -> Progress:
    """Bars of tasks that have a ``unit``: what is counted; on standard error by default."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[unit]}"),
        TimeRemainingColumn(),
        console=console or Console(stderr=True),
    )  # fmt: skip
