"""Where a window belongs in the archive: a folder per length of the step, fleet and date."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote, unquote

from argus_common.events import WindowClosed


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """The windows of one fleet that begin on one date (UTC), of one length of the step.

    >>> Day(300, "eu/west", date(2026, 1, 5)).folder
    'step=300/fleet=eu%2Fwest/date=2026-01-05'
    """

    step_seconds: int
    fleet: str
    date: date

    @staticmethod
    def of(window: WindowClosed) -> "Day":
        """The day in which the window begins."""
        begin = datetime.fromtimestamp(window.step * window.step_seconds, UTC)
        return Day(window.step_seconds, window.fleet, begin.date())

    @staticmethod
    def parse(folder: str) -> "Day | None":
        """The inverse of ``folder``; None where it is another folder."""
        parts = dict(part.partition("=")[::2] for part in folder.split("/"))
        try:
            return Day(int(parts["step"]), unquote(parts["fleet"]), date.fromisoformat(parts["date"]))
        except (KeyError, ValueError):
            return None

    @property
    def folder(self) -> str:
        """Relative to the archive; readers of partitioned Parquet find fleet and date in it."""
        return f"step={self.step_seconds}/fleet={quote(self.fleet, safe='')}/date={self.date}"
