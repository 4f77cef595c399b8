"""One line per measurement: what, the value, the yardstick it is compared with, and the floor it must reach."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number with its floor and its aim; ``higher`` says which side is good."""

    what: str
    value: float
    unit: str
    must: float | None = None
    good: float | None = None
    higher: bool = True
    note: str = ""

    def verdict(self) -> str:
        """good, must or below."""
        if self.good is not None and self._reaches(self.good):
            return "[green]good[/]"
        if self.must is not None and self._reaches(self.must):
            return "[yellow]must[/]" if self.good is not None else "[green]must[/]"
        return "" if self.must is None else "[red]below[/]"

    def _reaches(self, bound: float) -> bool:
        return self.value >= bound if self.higher else self.value <= bound


def show(title: str, measurements: list[Measurement]) -> None:
    """Print the table."""
    table = Table(title=title, title_justify="left")
    for column in ("what", "measured", "must", "good", "", "note"):
        table.add_column(column, justify="right" if column in ("measured", "must", "good") else "left")
    for m in measurements:
        sign = "≥ " if m.higher else "≤ "
        bounds = ["" if b is None else f"{sign}{b:,.6g}" for b in (m.must, m.good)]
        table.add_row(m.what, f"{m.value:,.4g} {m.unit}", *bounds, m.verdict(), m.note)
    Console(width=140).print(table)
