"""How far a fleet's servers stand out together on an ordinary day: what they share, forecasts miss for all of them."""

from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.tick import Floats

NOMINAL_SPREAD = float(1 / np.log(10))
"""Spread of a day's highest rarity in a fleet of independent servers: each further order is ten times rarer."""
DAYS = 28
FEWEST_DAYS = 3
MEDIAN, QUARTILES = float(-np.log(np.log(2))), float(np.log(np.log(4) / np.log(4 / 3)))
"""Of the Gumbel distribution with spread 1: its median, and the distance of its quartiles."""


@dataclass(slots=True)
class OrdinaryDays:
    """``highest``: (day,) the highest rarity of each of the last days, oldest first. ``today``: of the day that goes
    on, ``day``: its number.
    """

    highest: Floats = field(default_factory=lambda: np.empty(0))
    today: float = 0.0
    day: int = -1

    def observe(self, day: int, rarity: float) -> None:
        """Take in a step of ``day``."""
        if day != self.day:
            if self.day >= 0:
                self.highest = np.append(self.highest, self.today)[-DAYS:]
            self.day, self.today = day, 0.0
        self.today = max(self.today, rarity)

    def reached_once_in(self, days: float) -> float:
        """The rarity that an ordinary day passes once in so many ``days``, 0 while too few days are known.

        Median and quartiles are those of the days' highest, so that cascades on less than a quarter of them change
        nothing.

        References:
            E. Gumbel, "Statistics of Extremes", 1958.

        >>> calm = OrdinaryDays(np.array([1.0, 1.2, 1.4, 9.0]))
        >>> round(calm.reached_once_in(1000), 1)
        5.1
        """
        if len(self.highest) < FEWEST_DAYS:
            return 0.0
        low, median, high = np.quantile(self.highest, (0.25, 0.5, 0.75))
        spread = max((high - low) / QUARTILES, NOMINAL_SPREAD)
        return float(median + spread * (np.log(days) - MEDIAN))
