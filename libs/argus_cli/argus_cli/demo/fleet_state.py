"""What the demo knows of the fleet: the newest forecast per server, and what became of its warnings."""

from dataclasses import dataclass, field

from argus_common.events import Breach, ForecastIssued
from argus_common.levels import Level

WARN_AT = 0.5
"""Probability within the horizon at which the demo counts a limit as warned of."""
LATEST = "8h"


@dataclass(slots=True)
class Warned:
    """One limit of one server that was warned of, or crossed without a warning. Steps are origins."""

    server: str
    target: str
    limit: float
    warned: int | None = None
    expected_minutes: float | None = None
    crossed: int | None = None
    withdrawn: int | None = None

    def lead_steps(self) -> int | None:
        """Steps between the warning and the crossing, None unless both happened in that order."""
        if self.warned is None or self.crossed is None:
            return None
        return self.crossed - self.warned


@dataclass(slots=True)
class FleetState:
    """Folds forecasts in, in order of arrival."""

    latest: dict[str, ForecastIssued] = field(default_factory=dict)
    open: dict[tuple[str, str], Warned] = field(default_factory=dict)
    closed: list[Warned] = field(default_factory=list)
    forecasts: int = 0
    watching: bool = False
    """Warnings count from here on; before, history is filling."""

    def add(self, forecast: ForecastIssued) -> None:
        """Take a forecast in; older ones than the newest of the server only count."""
        self.forecasts += 1
        known = self.latest.get(forecast.server)
        if known is not None and known.origin > forecast.origin:
            return
        self.latest[forecast.server] = forecast
        if self.watching:
            for breach in forecast.breaches:
                self._follow(forecast, breach)

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

    def outcomes(self) -> list[Warned]:
        """Everything that was warned of or crossed, in order of crossing or warning."""
        return sorted([*self.closed, *self.open.values()], key=lambda w: w.crossed or w.warned or 0)

    def _follow(self, forecast: ForecastIssued, breach: Breach) -> None:
        key = (forecast.server, breach.target)
        value = forecast.observed.get(breach.target)
        beyond = value is not None and value * breach.harm >= breach.limit * breach.harm
        probability = breach.probability.get(LATEST, 0.0)
        followed = self.open.get(key)
        if followed is None and (beyond or probability >= WARN_AT):
            followed = self.open[key] = Warned(forecast.server, breach.target, breach.limit)
        if followed is None:
            return
        if followed.warned is None and followed.crossed is None and not beyond:
            followed.warned = forecast.origin
            median = breach.time_to_threshold.p50
            followed.expected_minutes = None if median is None else median / 60
        if beyond and followed.crossed is None:
            followed.crossed = forecast.origin
        elif not beyond and probability < WARN_AT / 2:
            followed.withdrawn = forecast.origin
            self.closed.append(self.open.pop(key))


def worst_breach(forecast: ForecastIssued) -> Breach | None:
    """The limit that this server is most likely to cross."""
    return max(forecast.breaches, key=lambda breach: breach.probability.get(LATEST, 0.0), default=None)
