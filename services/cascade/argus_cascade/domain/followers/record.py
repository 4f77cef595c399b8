"""What was foretold, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from argus_cascade.domain.life.change import FollowerScore


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Of a fleet: followers that joined, that did not, and the sum of their squared errors, each by the probability
    with which it was first named.
    """

    confirmed: int = 0
    withdrawn: int = 0
    squared: float = 0.0

    @property
    def brier(self) -> float | None:
        """Mean squared error of the probabilities, 0 … 1, lower is better; None before the first outcome.

        >>> Forecasts().settled({"web1": 0.8}, {"web1": True}).brier
        0.04
        """
        count = self.confirmed + self.withdrawn
        return round(self.squared / count, 6) if count else None

    def settled(self, said: Mapping[str, float], came: Mapping[str, bool]) -> "Forecasts":
        """With more outcomes: ``came`` server → it joined; ``said`` server → the probability first named."""
        joined = sum(came.values())
        squared = sum((said[server] - joined_it) ** 2 for server, joined_it in came.items())
        return Forecasts(self.confirmed + joined, self.withdrawn + len(came) - joined, self.squared + squared)


def added(score: FollowerScore, came: Mapping[str, bool]) -> FollowerScore:
    """A cascade's own counts with more outcomes."""
    joined = sum(came.values())
    return FollowerScore(score.confirmed + joined, score.withdrawn + len(came) - joined)
