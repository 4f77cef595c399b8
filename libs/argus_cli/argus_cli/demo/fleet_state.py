"""What the demo knows of the fleet: the newest forecast per server, its alerts and its cascades."""

from dataclasses import dataclass, field

from argus_cli.alerts.board import Board
from argus_cli.cascades.board import CascadeBoard
from argus_common.events import AlertEvent, Breach, BreachExpected, CascadeEvent, ForecastIssued
from argus_common.levels import Level

LATEST = "8h"


@dataclass(frozen=True, slots=True)
class Course:
    """An alert that was raised while somebody watched. ``outcome``: as in `BreachEnded`, or ``expected``.

    ``expected_seconds``: median time to the crossing as it was told first; ``lead_seconds``: from raising to crossing.
    """

    server: str
    target: str
    limit: float
    since: int
    outcome: str
    expected_seconds: float | None
    lead_seconds: int | None


@dataclass(slots=True)
class FleetState:
    """Folds forecasts, alerts and cascades in, in order of arrival."""

    latest: dict[str, ForecastIssued] = field(default_factory=dict)
    board: Board = field(default_factory=Board)
    cascades: CascadeBoard = field(default_factory=CascadeBoard)
    forecasts: int = 0
    _raised: dict[str, BreachExpected] = field(default_factory=dict)
    _from: int | None = None
    """Alerts raised after this origin count; before, history was filling."""

    def add(self, forecast: ForecastIssued) -> None:
        """Take a forecast in; older ones than the newest of the server only count."""
        self.forecasts += 1
        known = self.latest.get(forecast.server)
        if known is None or known.origin <= forecast.origin:
            self.latest[forecast.server] = forecast

    def hear(self, event: AlertEvent) -> None:
        """Take an event of an alert in."""
        if isinstance(event, BreachExpected):
            self._raised.setdefault(event.alert, event)
        self.board.add(event)

    def spread(self, event: CascadeEvent) -> None:
        """Take an event of a cascade in."""
        self.cascades.add(event)

    def told_cascades(self) -> list[CascadeEvent]:
        """The newest event of every cascade that was opened since somebody watches, in the order of their opening."""
        begin = 0 if self._from is None else self._from
        known: list[CascadeEvent] = [*self.cascades.over.values(), *self.cascades.standing.values()]
        return sorted((one for one in known if one.opened > begin), key=lambda one: (one.opened, one.cascade))

    def watch(self) -> None:
        """From now on alerts and cascades count."""
        self._from = self.newest_origin()

    def newest_origin(self) -> int:
        """The newest step that was forecast from, 0 before the first."""
        return max((forecast.origin for forecast in self.latest.values()), default=0)

    def levels(self) -> dict[Level, int]:
        """Servers per alert level, worst first."""
        counts = dict.fromkeys(Level, 0)
        for forecast in self.latest.values():
            counts[forecast.level] += 1
        return counts

    def most_at_risk(self, count: int) -> list[ForecastIssued]:
        """The servers with the highest risk."""
        return sorted(self.latest.values(), key=lambda forecast: -forecast.risk)[:count]

    def courses(self) -> list[Course]:
        """Every alert that was raised since somebody watches, in that order."""
        first = self._from
        if first is None:
            return []
        found = [self._course(raised) for raised in self._raised.values() if raised.since > first]
        return sorted(found, key=lambda one: (one.since, one.server, one.target))

    def _course(self, raised: BreachExpected) -> Course:
        ended, stands = self.board.ended.get(raised.alert), self.board.standing.get(raised.alert)
        crossed = ended.crossed if ended else stands.crossed if stands else None
        outcome = ended.outcome if ended else "expected"
        if ended is None and crossed is not None:
            outcome = "late" if crossed <= raised.since else "hit"
        lead = (crossed - raised.since) * raised.step_seconds if crossed is not None and outcome == "hit" else None
        expected = raised.time_to_threshold.p50 if raised.phase == "expected" else None
        return Course(raised.server, raised.target, raised.limit, raised.since, outcome, expected, lead)


def worst_breach(forecast: ForecastIssued) -> Breach | None:
    """The limit that this server is most likely to cross."""
    return max(forecast.breaches, key=lambda breach: breach.probability.get(LATEST, 0.0), default=None)
