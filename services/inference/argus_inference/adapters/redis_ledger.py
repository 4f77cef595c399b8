"""Earlier forecasts in Redis: one ring per server, written at the origin, read when their target steps close."""

import hashlib
from collections.abc import Sequence

import numpy as np
from redis.asyncio import Redis

from argus_common.ring import RingLayout, RingStore
from argus_forecasting.forecaster import Floats
from argus_inference.domain.scoring import SCORED_LEADS

LEDGER_STEPS = 128
"""Origins kept per server: a little more than the longest scored lead."""


class RedisForecastLedger:
    """A `ForecastLedger`. Keeping a forecast again changes nothing."""

    def __init__(self, redis: Redis, prefix: str, targets: Sequence[str], levels: Sequence[float]) -> None:
        """Rings under ``prefix`` and a mark of these targets and levels: rows of another meaning are never read."""
        self._shape = (len(targets), len(SCORED_LEADS), len(levels))
        mark = hashlib.sha256(f"{list(targets)} {list(levels)} {SCORED_LEADS}".encode()).hexdigest()[:8]
        layout = RingLayout(int(np.prod(self._shape)), LEDGER_STEPS)
        self._rings = RingStore(redis, f"{prefix}:forecasts:{mark}", layout)

    async def keep(self, names: Sequence[str], step: int, quantiles: Floats) -> None:
        """See `ForecastLedger.keep`."""
        await self._rings.write(names, np.full(len(names), step, np.int64), quantiles.reshape(len(names), -1))

    async def due(self, names: Sequence[str], step: int) -> Floats:
        """See `ForecastLedger.due`."""
        rows = await self._rings.read_steps(names, [step - lead for lead in SCORED_LEADS])
        made = rows.reshape(len(names), len(SCORED_LEADS), *self._shape)
        return np.stack([made[:, k, :, k] for k in range(len(SCORED_LEADS))], axis=2)
