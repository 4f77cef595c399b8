"""From the archive to a trace in a folder, a day at a time."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from argus_common.errors import ConfigurationError
from argus_retrainer.adapters.parquet_archive import DayInfo, ParquetArchive
from argus_retrainer.domain.archive_day import Day

FILE = "windows.parquet"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which days: of one fleet, from ``since`` to ``until`` inclusive, of one length of the step; None = all."""

    fleet: str | None = None
    since: date | None = None
    until: date | None = None
    step_seconds: int | None = None

    def of(self, days: dict[Day, DayInfo]) -> dict[Day, DayInfo]:
        """Those that are wanted.

        Raises:
            ConfigurationError: there is none, or they are of several lengths of the step.
        """
        found = {day: info for day, info in days.items() if self._wants(day)}
        if not found:
            fleets = ", ".join(sorted({day.fleet for day in days})) or "none"
            raise ConfigurationError(f"the archive has no such day; its fleets: {fleets}")
        steps = sorted({day.step_seconds for day in found})
        if len(steps) > 1:
            raise ConfigurationError(f"the archive has steps of {steps} seconds: choose one with --step")
        return found

    def _wants(self, day: Day) -> bool:
        return (
            self.fleet in (None, day.fleet)
            and self.step_seconds in (None, day.step_seconds)
            and (self.since is None or day.date >= self.since)
            and (self.until is None or day.date <= self.until)
        )


def export(archive: ParquetArchive, days: dict[Day, DayInfo], out: Path, report: Callable[[], None]) -> int:
    """Write ``out``, whole or not at all, and return the number of windows; ``report`` is called after each day.

    Raises:
        ConfigurationError: ``out`` exists, or a file of the archive can't be read.
        TransientError: the archive does not answer.
    """
    if out.exists():
        raise ConfigurationError(f"{out} exists: name a folder that does not")
    unfinished, rows = out.with_name(f".{out.name}.part"), 0
    shutil.rmtree(unfinished, ignore_errors=True)
    for day, table in archive.tables(days):
        folder = unfinished / day.folder
        folder.mkdir(parents=True)
        table.write_parquet(folder / FILE, compression="zstd")
        rows += table.height
        report()
    unfinished.rename(out)
    return rows
