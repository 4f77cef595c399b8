"""How far servers stand out together at the same hours of other weeks: what forecasts miss for all of them."""

from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.tick import Floats

WEEKS, HOURS = 4, 168
HOUR_SECONDS = 3600
AROUND = 1
"""A ramp comes an hour sooner or later from week to week."""
BEYOND = 2.0
"""Orders of magnitude by which something must be rarer than what happened at this hour of another week."""


@dataclass(slots=True)
class OrdinaryWeeks:
    """``highest``: (week, hour) the highest rarity of each hour of the last weeks; ``hour``: the number of the hour
    that goes on, since the epoch, −1 = none yet.
    """

    highest: Floats = field(default_factory=lambda: np.zeros((WEEKS, HOURS)))
    hour: int = -1

    def limit(self, hour: int) -> float:
        """What must be reached in ``hour`` to be out of the ordinary; 0 where other weeks say nothing.

        >>> weeks = OrdinaryWeeks()
        >>> weeks.observe(10, 7.0)
        >>> weeks.limit(10), weeks.limit(10 + HOURS), weeks.limit(11 + HOURS), weeks.limit(12 + HOURS)
        (0.0, 9.0, 9.0, 0.0)
        """
        others = [week for week in range(WEEKS) if week != hour // HOURS % WEEKS]
        near = np.arange(hour - AROUND, hour + AROUND + 1) % HOURS
        highest = float(self.highest[others][:, near].max())
        return highest + BEYOND if highest > 0 else 0.0

    def observe(self, hour: int, rarity: float) -> None:
        """Take in a step of ``hour``, later than what was taken in before."""
        place = (hour // HOURS % WEEKS, hour % HOURS)
        if hour != self.hour:
            self.highest[place] = 0.0
            self.hour = hour
        self.highest[place] = max(self.highest[place], rarity)
