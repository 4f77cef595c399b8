"""Bars that say how far a command is, and how long it still takes; where nobody can see bars, lines."""

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

LINE_SECONDS = 30.0
"""How often a line is written where the output is no terminal: a file, a pipe, the log of a pod."""


class Bars(Progress):
    """`Progress` whose output, where it is no terminal, is a line now and then in place of nothing until the end."""

    _told: float | None = None

    def update(self, task_id: TaskID, **fields: Any) -> None:  # noqa: ANN401 (as in rich)
        """As rich does."""
        super().update(task_id, **fields)
        self._tell(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """As rich does."""
        super().advance(task_id, advance)
        self._tell(task_id)

    def _tell(self, task_id: TaskID) -> None:
        now = self.get_time()
        self._told = now if self._told is None else self._told
        if self.console.is_terminal or now - self._told < LINE_SECONDS:
            return
        self._told, task = now, self._tasks[task_id]
        left = "" if task.time_remaining is None else f", about {task.time_remaining / 60:.0f} min left"
        count = f"{task.completed:,.0f}" + ("" if task.total is None else f" of {task.total:,.0f}")
        line = Text.from_markup(f"{task.description}: {count} {task.fields['unit']}{left}")
        self.console.print(line, highlight=False, soft_wrap=True)


def bars(console: Console | None = None) -> Progress:
    """Bars of tasks that have a ``unit``: what is counted; on standard error by default."""
    return Bars(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[unit]}"),
        TimeRemainingColumn(),
        console=console or Console(stderr=True),
    )  # fmt: skip
