"""``argus archive info|export``."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from argus_cli.progress import bars
from argus_common.errors import ConfigurationError
from argus_retrainer.adapters.export import Wanted, export
from argus_retrainer.adapters.object_folder import ObjectFolder
from argus_retrainer.adapters.parquet_archive import DayInfo, ParquetArchive
from argus_retrainer.domain.archive_day import Day

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The retrainer's archive of all windows.")
console = Console()

Place = Annotated[
    str, typer.Option("--archive", envvar="ARGUS_RETRAINER_ARCHIVE", help="Folder, or s3://bucket/prefix.")
]


@app.command()
def info(archive: Place = "archive") -> None:
    """What the archive holds: fleets, days, servers of the newest day, size.

    Example: argus archive info --archive archive
    """
    opened = ParquetArchive(ObjectFolder(archive))
    days = _days(opened, archive)
    table = Table()
    for column in ("fleet", "step", "from", "until", "days", "missing", "servers", "files", "size"):
        table.add_column(column, justify="left" if column in ("fleet", "from", "until") else "right")
    for step, fleet in sorted({(day.step_seconds, day.fleet) for day in days}):
        mine = {day: found for day, found in days.items() if (day.step_seconds, day.fleet) == (step, fleet)}
        table.add_row(*_row(opened, mine))
    console.print(table)


@app.command("export")
def export_command(
    out: Annotated[Path, typer.Argument(help="Folder for the trace; it must not exist.")],
    archive: Place = "archive",
    fleet: Annotated[str | None, typer.Option(help="Only this fleet.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this date (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="To this date, inclusive.")] = None,
    step: Annotated[int | None, typer.Option(min=1, help="Seconds per step, where the archive has several.")] = None,
) -> None:
    """A trace that argus train and argus backtest read: every window once, a file per fleet and day.

    Examples: argus archive export month --since 2026-01-01   ·   argus train month --name web --version 2
    """
    opened = ParquetArchive(ObjectFolder(archive))
    wanted = Wanted(fleet, _date(since), _date(until), step)
    days = wanted.of(_days(opened, archive))
    with bars() as progress:
        task = progress.add_task("exporting", total=len(days), unit="days")
        rows = export(opened, days, out, lambda: progress.advance(task))
    console.print(f"Wrote {out}: {rows:,} windows of {len(days)} days.", highlight=False)


def _days(opened: ParquetArchive, place: str) -> dict[Day, DayInfo]:
    days = opened.days()
    if not days:
        raise ConfigurationError(
            f"{place}: no archive here; argus run retrainer fills it, --archive names another place"
        )
    return days


def _row(opened: ParquetArchive, mine: dict[Day, DayInfo]) -> tuple[str, ...]:
    first, last = min(mine), max(mine)
    span = (last.date - first.date).days + 1
    newest = opened.read(last, mine[last].files)
    return (
        last.fleet,
        f"{last.step_seconds} s",
        f"{first.date}",
        f"{last.date}",
        f"{len(mine)}",
        f"{span - len(mine)}",
        "–" if newest is None else f"{newest['server'].n_unique():,}",
        f"{sum(len(found.files) for found in mine.values()):,}",
        f"{sum(found.size for found in mine.values()) / 2**20:,.1f} MB",
    )


def _date(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
