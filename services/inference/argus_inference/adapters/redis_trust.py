"""What was learned of every server's forecasts, in Redis: a few rows per source, and its uncorrected forecasts."""

import hashlib
from collections.abc import Sequence

import numpy as np
from redis.asyncio import Redis

from argus_common.events import SCORED_LEADS
from argus_common.redis_client import redis_errors
from argus_common.ring import RingLayout, RingStore
from argus_forecasting.forecaster import Floats, Mask
from argus_inference.adapters.redis_ledger import KEPT, RedisForecastLedger
from argus_inference.domain.trust import Remembered
from argus_inference.domain.trust_rows import row_width

ROWS = 4
"""Steps whose rows are kept: enough to tell any step again that may be repeated after a crash."""


class RedisTrustStore:
    """A `TrustStore`. A row is written in one piece and names its step, so a step that is told again finds its own."""

    def __init__(self, redis: Redis, prefix: str, targets: Sequence[str], levels: Sequence[float]) -> None:
        """Under ``prefix``, a mark of these targets and levels, and each source's name."""
        self._redis, self._prefix, self._targets, self._levels = redis, prefix, tuple(targets), tuple(levels)
        self._layout = RingLayout(row_width(len(self._targets), len(self._levels)), ROWS)
        self._places: dict[str, tuple[RingStore, RedisForecastLedger]] = {}
        self._mark = hashlib.sha256(f"{self._targets} {self._levels} {SCORED_LEADS}".encode()).hexdigest()[:8]

    async def read(self, sources: Sequence[str], names: Sequence[str], step: int) -> Remembered:
        """See `TrustStore.read`."""
        rows, settled, due = [], [], []
        for source in sources:
            row, again = await self._newest(source, names, step)
            rows.append(row)
            settled.append(again)
            due.append(await self._place(source)[1].due(names, step))
        return Remembered(np.stack(rows), np.stack(settled), np.stack(due))

    async def keep(self, sources: Sequence[str], names: Sequence[str], step: int, rows: Floats, raw: Floats) -> None:
        """See `TrustStore.keep`."""
        steps = np.full(len(names), step, np.int64)
        for source, row, quantiles in zip(sources, rows, raw, strict=True):
            learned, forecasts = self._place(source)
            await forecasts.keep(names, step, quantiles)
            await learned.write(names, steps, row)

    async def _newest(self, source: str, names: Sequence[str], step: int) -> tuple[Floats, Mask]:
        """The newest row up to ``step`` of each server, NaN where there is none, and whether it is of the step."""
        if not names:
            return np.empty((0, self._layout.width), np.float32), np.empty(0, bool)
        with redis_errors("reading what was learned of forecasts"):
            blocks: list[bytes | None] = await self._redis.mget([f"{self._key(source)}:{name}" for name in names])  # type: ignore[assignment]
        size = self._layout.ring_bytes
        joined = b"".join((block or b"")[:size].ljust(size, b"\0") for block in blocks)
        table = np.frombuffer(joined, np.uint32).reshape(len(names), ROWS, 1 + self._layout.width)
        marks = table[:, :, 0].astype(np.int64)  # the step's number + 1, 0 = never written
        marks[marks > step + 1] = 0
        at, servers = marks.argmax(axis=1), np.arange(len(names))
        newest = marks[servers, at]
        rows = table[servers, at, 1:].view(np.float32)
        return np.where(newest[:, None] > 0, rows, np.float32(np.nan)), newest == step + 1

    def _key(self, source: str) -> str:
        return f"{self._prefix}:trust:{self._mark}:{source}"

    def _place(self, source: str) -> tuple[RingStore, RedisForecastLedger]:
        """Where a source's rows and its uncorrected forecasts are."""
        if source not in self._places:
            key = self._key(source)
            rings = RingStore(self._redis, key, self._layout, KEPT)
            ledger = RedisForecastLedger(self._redis, f"{key}:raw", self._targets, self._levels)
            self._places[source] = rings, ledger
        return self._places[source]
