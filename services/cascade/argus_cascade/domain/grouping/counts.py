"""How many servers stand out within a window on ordinary days, and how unevenly: they share users and weekends."""

from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.grouping.episodes import LEVELS
from argus_cascade.domain.tick import Floats

LESSON_SPREADS = 3.0
"""A count teaches no more than so many standard deviations and one server above the mean: a cascade that nobody saw
must not make the next one ordinary.
"""


@dataclass(slots=True)
class Counts:
    """``mean``, ``square``: (level,) of the counts, and of their squares, of servers in no cascade; ``steps``: (1,)
    that were taken in, older ones faded.
    """

    mean: Floats = field(default_factory=lambda: np.zeros(len(LEVELS)))
    square: Floats = field(default_factory=lambda: np.zeros(len(LEVELS)))
    steps: Floats = field(default_factory=lambda: np.zeros(1))

    def observe(self, count: Floats, memory_steps: float) -> None:
        """Take in a step: (level,) how many servers have risen to each level within the window."""
        spread = np.sqrt(np.maximum(self.square - self.mean**2, 0))
        count = np.minimum(count, self.mean + LESSON_SPREADS * spread + 1)
        self.steps = np.minimum(self.steps + 1, memory_steps)
        self.mean = self.mean + (count - self.mean) / self.steps
        self.square = self.square + (count**2 - self.square) / self.steps

    def dispersion(self) -> Floats:
        """(level,) variance over mean, 1 where servers are independent of each other, more where they go together."""
        variance = self.square - self.mean**2
        return np.maximum(np.where(self.mean > 0, variance / np.maximum(self.mean, 1e-12), 1.0), 1.0)
