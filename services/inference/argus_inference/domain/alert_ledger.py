"""How good the alerts of the last days were, by target."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from argus_common.events import AlertEvent, BreachEnded

SECONDS_PER_DAY = 86_400
KEPT_DAYS = 7


@dataclass(slots=True)
class Day:
    """Of one day of event time: target → outcome → alerts that ended; seconds that servers were watched, summed up."""

    ended: dict[str, dict[str, int]] = field(default_factory=dict)
    watched_seconds: float = 0.0


@dataclass(slots=True)
class AlertLedger:
    """Sums over the newest `KEPT_DAYS` days of event time, as far as this process has seen them."""

    _days: dict[int, Day] = field(default_factory=dict)

    def watched(self, servers: int, step_seconds: int, end: int) -> None:
        """So many servers were watched for a step that ended at ``end`` (seconds since the epoch)."""
        self._day(end).watched_seconds += servers * step_seconds

    def add(self, events: Iterable[AlertEvent]) -> None:
        """Count the alerts that ended."""
        for event in events:
            if isinstance(event, BreachEnded):
                counts = self._day((event.origin + 1) * event.step_seconds).ended.setdefault(event.target, {})
                counts[event.outcome] = counts.get(event.outcome, 0) + 1

    def count(self, target: str, outcome: str) -> int:
        """Alerts that ended so."""
        return sum(day.ended.get(target, {}).get(outcome, 0) for day in self._days.values())

    def precision(self, target: str) -> float:
        """Hits of hits and false alarms; NaN without either."""
        return _ratio(self.count(target, "hit"), self.count(target, "false"))

    def recall(self, target: str) -> float:
        """Hits of hits and late alerts; NaN without either."""
        return _ratio(self.count(target, "hit"), self.count(target, "late"))

    def false_per_server_day(self, target: str) -> float:
        """False alarms per server and day; NaN where nothing was watched."""
        days = sum(day.watched_seconds for day in self._days.values()) / SECONDS_PER_DAY
        return self.count(target, "false") / days if days else float("nan")

    def _day(self, end: int) -> Day:
        number = end // SECONDS_PER_DAY
        day = self._days.setdefault(number, Day())
        oldest = max(self._days) - KEPT_DAYS
        self._days = {kept: held for kept, held in self._days.items() if kept > oldest}
        return day


def _ratio(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else float("nan")
