"""Which days of the archive are to be compacted and which are too old."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from argus_retrainer.domain.archive_day import Day


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What is to be done."""

    compact: tuple[Day, ...]
    drop: tuple[Day, ...]


def upkeep(files: Mapping[Day, Sequence[str]], keep_days: int) -> Upkeep:
    """Days of several files, but for the newest of each fleet, which is still written; days too old.

    Old is counted from the newest day of the same fleet and step: event time decides, so an old trace that is played
    again is not dropped as it comes.
    """
    newest = _newest(files)
    ends = {key: day - timedelta(days=keep_days) for key, day in newest.items()}
    drop = tuple(day for day in sorted(files) if day.date <= ends[day.step_seconds, day.fleet])
    compact = tuple(
        day
        for day, names in sorted(files.items())
        if len(names) > 1 and day not in drop and day.date < newest[day.step_seconds, day.fleet]
    )
    return Upkeep(compact, drop)


def _newest(days: Mapping[Day, Sequence[str]]) -> dict[tuple[int, str], date]:
    newest: dict[tuple[int, str], date] = {}
    for day in days:
        key = day.step_seconds, day.fleet
        newest[key] = max(day.date, newest.get(key, day.date))
    return newest
