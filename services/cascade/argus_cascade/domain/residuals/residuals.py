"""How surprising each value of a trace is, judged by what came before it."""

from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.tick import Floats

DAY_SECONDS = 86_400
FEWEST = 12
"""Values before the first judgement."""
HUBER = 3.0
"""Values further off teach as if they were so many scales off."""


@dataclass(slots=True)
class Residuals:
    """Of one fleet with these servers and metrics. Feed each step once, in order."""

    servers: int
    metrics: int
    step_seconds: int
    _level: Floats = field(init=False)
    _scale: Floats = field(init=False)
    _count: Floats = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.servers, self.metrics)
        self._level, self._scale, self._count = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape)

    def observe(self, values: Floats) -> Floats:
        """(server, metric) z of this step, NaN = no value or too little known.

        Args:
            values: (server, metric), NaN = missing.
        """
        known = ~np.isnan(values)
        self._level = np.where(np.isnan(self._level), values, self._level)
        with np.errstate(invalid="ignore", divide="ignore"):
            z = np.where(self._scale > 0, (values - self._level) / self._scale, np.sign(values - self._level) * 8)
        judged = np.where(known & (self._count >= FEWEST), z, np.nan)
        self._learn(values, known)
        return judged

    def _learn(self, values: Floats, known: Floats) -> None:
        self._count += known
        rate = np.where(known, 1 / np.clip(self._count, 1, DAY_SECONDS / self.step_seconds), 0)
        gap = np.where(known, values - self._level, 0)
        bound = np.where(self._count > FEWEST, HUBER * self._scale, np.inf)
        gap = np.clip(gap, -np.maximum(bound, 1e-9), np.maximum(bound, 1e-9))
        self._level = self._level + rate * gap
        self._scale = np.sqrt(np.maximum(self._scale**2 + rate * (gap**2 - self._scale**2), 0))
