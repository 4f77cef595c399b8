"""How far a long command is, with and without a terminal."""

import io
from dataclasses import dataclass

from rich.console import Console

from argus_cli.progress import LINE_SECONDS, Bars


@dataclass
class ManualClock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def told(*, terminal: bool) -> list[str]:
    """What is written over two and a half spans of work, one step each second."""
    clock, output = ManualClock(), io.StringIO()
    bars = Bars(console=Console(file=output, force_terminal=terminal, width=80), get_time=clock, auto_refresh=False)
    steps = round(LINE_SECONDS * 2.5)
    task = bars.add_task("training", total=2 * steps, unit="steps [cyan]loss 0.1[/]")
    for done in range(1, steps + 1):
        clock.now += 1
        bars.update(task, completed=done)
    return output.getvalue().splitlines()


def test_without_a_terminal_a_line_is_written_now_and_then_with_the_time_left() -> None:
    first, second = told(terminal=False)
    assert first.startswith("training: 31 of 150 steps loss 0.1, about ")
    assert second.startswith("training: 61 of 150 steps loss 0.1, about ")


def test_in_a_terminal_only_bars_are_drawn() -> None:
    assert told(terminal=True) == []
