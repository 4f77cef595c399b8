"""Rings in Redis: one Lua call per few hundred servers to write and to read."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from redis.asyncio import Redis

from argus_common.redis_client import redis_errors
from argus_common.ring.layout import Floats, RingLayout, Steps

CHUNK = 200
"""Servers per call: large enough to amortise the round trip, small enough not to hold Redis for long."""

RENEW_EVERY = 7
"""Steps after which a ring's time to live is set again: at every step it would cost a tenth of writing. Seven has no
factor in common with the steps of an hour or a day, so that a server with one sample in each of them is met too.
"""

_WRITE = """
local size = tonumber(ARGV[1])
local kept, renew = tonumber(ARGV[2]), ARGV[3] == '1'
for i = 1, #KEYS do
  local new = redis.call('STRLEN', KEYS[i]) < size
  if new then redis.call('SETRANGE', KEYS[i], size - 1, '\\0') end
  redis.call('SETRANGE', KEYS[i], ARGV[2 * i + 2], ARGV[2 * i + 3])
  if kept > 0 and (new or renew) then redis.call('EXPIRE', KEYS[i], kept) end
end
return #KEYS
"""

_READ = """
local out = {}
for i = 1, #KEYS do
  local parts = {}
  for j = 1, #ARGV, 2 do parts[#parts + 1] = redis.call('GETRANGE', KEYS[i], ARGV[j], ARGV[j + 1]) end
  out[i] = table.concat(parts)
end
return out
"""


class RingStore:
    """Reads and writes rings under ``prefix``. Rewriting a row is idempotent, so redelivery does no harm.

    Args:
        redis: where they are.
        prefix: of their keys.
        layout: how they lie there.
        kept: how long a ring stays after it was last written, to within `RENEW_EVERY` steps; without it, for ever.
    """

    def __init__(self, redis: Redis, prefix: str, layout: RingLayout, kept: timedelta | None = None) -> None:
        self.layout = layout
        self._prefix = prefix
        self._kept = 0 if kept is None else int(kept.total_seconds())
        self._write = redis.register_script(_WRITE)
        self._read = redis.register_script(_READ)

    async def write(self, names: Sequence[str], steps: Steps, values: Floats) -> None:
        """Write one row per element: ``names`` (row,), ``steps`` (row,), ``values`` (row, width), NaN = missing.

        Raises:
            TransientError: Redis does not answer; rows may be half written, writing them again is harmless.
        """
        rows = self.layout.pack(steps, values)
        offsets = (steps % self.layout.steps) * self.layout.row_bytes
        for begin in range(0, len(names), CHUNK):
            part = slice(begin, begin + CHUNK)
            renew = bool((steps[part] % RENEW_EVERY == 0).any())
            arguments: list[bytes | int] = [self.layout.ring_bytes, self._kept, int(renew)]
            for offset, row in zip(offsets[part].tolist(), rows[part], strict=True):
                arguments += (offset, row)
            with redis_errors("writing rings"):
                await self._write(keys=self._keys(names[part]), args=arguments)

    async def read(self, names: Sequence[str], last_step: int, length: int) -> Floats:
        """The ``length`` steps up to and including ``last_step``: (server, time, width), NaN = missing.

        Raises:
            ValueError: ``length`` is not between 1 and the length of the ring.
            TransientError: Redis does not answer.
        """
        if not 1 <= length <= self.layout.steps:
            raise ValueError(f"asked for {length} steps of a ring that holds {self.layout.steps}")
        first = last_step - length + 1
        expected = np.arange(first, last_step + 1, dtype=np.int64)
        return await self._read_ranges(names, self.layout.ranges(first, length), expected)

    async def read_steps(self, names: Sequence[str], steps: Sequence[int]) -> Floats:
        """The rows of exactly these steps: (server, len(steps), width), NaN = missing."""
        starts = [self.layout.offset(step) for step in steps]
        ranges = [(start, start + self.layout.row_bytes - 1) for start in starts]
        return await self._read_ranges(names, ranges, np.asarray(steps, np.int64))

    async def _read_ranges(self, names: Sequence[str], ranges: list[tuple[int, int]], expected: Steps) -> Floats:
        arguments = [bound for pair in ranges for bound in pair]
        out = np.empty((len(names), len(expected), self.layout.width), np.float32)
        for begin in range(0, len(names), CHUNK):
            part = names[begin : begin + CHUNK]
            with redis_errors("reading rings"):
                blocks = await self._read(keys=self._keys(part), args=arguments)
            out[begin : begin + len(part)] = self.layout.unpack(blocks, expected)
        return out

    def _keys(self, names: Sequence[str]) -> list[str]:
        return [f"{self._prefix}:{name}" for name in names]
