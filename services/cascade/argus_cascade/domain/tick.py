"""Everything that a fleet's forecasts say about one step, in columns."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Steps = npt.NDArray[np.int64]

WITHIN_MINUTES = (15, 60, 240, 480)
"""Spans after the origin for which a forecast gives breach probabilities."""


@dataclass(frozen=True, slots=True)
class FleetTick:
    """One step of one fleet. ``servers`` are those that were heard of in this step, in rising order.

    ``pit``: (server, target, lead) where the value fell in the forecast of ``leads`` steps ago, 0 … 1, NaN = none.
    ``residual``: (server, target, lead) value − median forecast, in the target's unit.
    ``observed``: (server, target) the value, in the target's unit.
    ``harm``: (target,) +1 high hurts, −1 low hurts, 0 both.
    ``smallest``: (target,) change in the target's unit that matters.
    ``probability``: (server, target, span) that the target's limit is crossed within `WITHIN_MINUTES`, 0 … 1.
    ``crossing``: (server, target, 3) seconds until then, P10, P50, P90; inf = not within the horizon.
    ``risk``: (server,) 0 … 100.
    """

    fleet: str
    step: int
    step_seconds: int
    servers: tuple[str, ...]
    profiles: tuple[str, ...]
    targets: tuple[str, ...]
    harm: Floats
    smallest: Floats
    leads: tuple[int, ...]
    pit: Floats
    residual: Floats
    observed: Floats
    probability: Floats
    crossing: Floats
    risk: Floats
