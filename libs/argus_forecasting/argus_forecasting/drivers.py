"""What a forecast was made from, told for a few series when asked for."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from argus_forecasting.forecaster import SeriesBatch

PAST_DAYS, FLEET, CALENDAR, PROFILE = "past days", "fleet", "hour and weekday", "profile"
COURSE = "what followed moments like now"
"""Inputs that are no metric of the server."""
OWN = "itself"
"""The series' own past, where its metric's name is not known."""
LIKE_NOW, ATTENDED = "a moment like now", "a moment attended to"
"""Moments."""


@dataclass(frozen=True, slots=True)
class Driver:
    """``input``: a metric of the server, or one of the names above. ``step``: epoch step number where it is a moment.
    ``weight``: 0 … 1 beside the others; of a moment, how alike it was or how much it was attended to. ``effect``: what
    knowing it adds to the quantile towards the limit, mean over the horizon, in the target's unit; None = not measured.
    """

    input: str
    weight: float
    step: int | None = None
    effect: float | None = None


Drivers = tuple[Driver, ...]


@runtime_checkable
class Explains(Protocol):
    """A forecaster that can say what it looked at."""

    def drivers(self, batch: SeriesBatch, horizon: int) -> tuple[Drivers, ...]:
        """Of every series the few that mattered most, heaviest first; none where nothing can be said."""
        ...


def heaviest(weights: dict[str, float], effects: dict[str, float] | None = None, count: int = 3) -> Drivers:
    """The ``count`` inputs that weigh most, their weights as shares of all; none where all of them are zero.

    >>> [(one.input, one.weight) for one in heaviest({"memory": 3.0, "disk": 1.0, "fleet": 0.0})]
    [('memory', 0.75), ('disk', 0.25)]
    """
    total = sum(weights.values())
    kept = sorted((name for name in weights if weights[name] > 0), key=lambda name: -weights[name])[:count]
    return tuple(
        Driver(name, weights[name] / total, effect=None if effects is None else effects[name]) for name in kept
    )
