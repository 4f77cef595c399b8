"""Earlier forecasts in Redis: a ring per server and scored lead, written at the origin, read when its step closes."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from redis.asyncio import Redis

from argus_common.events import SCORED_LEADS
from argus_common.ring import RingLayout, RingStore
from argus_forecasting.forecaster import Floats

KEPT = timedelta(days=8)
"""How long what is kept of a server, or of another version of a model, outlives its last forecast: as long as the rings
of servers that are gone.
"""
SPARE_STEPS = 32
"""Origins kept beyond a lead: as many may be told again."""


class RedisForecastLedger:
    """A `ForecastLedger`. Keeping a forecast again changes nothing."""

    def __init__(self, redis: Redis, prefix: str, targets: Sequence[str], levels: Sequence[float]) -> None:
        """Rings under ``prefix`` and a mark of these targets and levels: rows of another meaning are never read."""
        self._shape = (len(targets), len(levels))
        mark = hashlib.sha256(f"{list(targets)} {list(levels)} {SCORED_LEADS}".encode()).hexdigest()[:8]
        width = len(targets) * len(levels)
        self._rings = {
            lead: RingStore(redis, f"{prefix}:forecasts:{mark}:{lead}", RingLayout(width, lead + SPARE_STEPS), KEPT)
            for lead in SCORED_LEADS
        }

    async def keep(self, names: Sequence[str], step: int, quantiles: Floats) -> None:
        """See `ForecastLedger.keep`."""
        steps = np.full(len(names), step, np.int64)
        for k, rings in enumerate(self._rings.values()):
            await rings.write(names, steps, quantiles[:, :, k].reshape(len(names), rings.layout.width))

    async def due(self, names: Sequence[str], step: int) -> Floats:
        """See `ForecastLedger.due`."""
        rows = [await rings.read_steps(names, [step - lead]) for lead, rings in self._rings.items()]
        return np.stack([row.reshape(len(names), *self._shape) for row in rows], axis=2)
