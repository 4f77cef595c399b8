"""Alerts in Redis: one key per server holds what is remembered of it together with the events that are not acknowledged
yet, so that neither is ever there without the other.
"""

import hashlib
from collections.abc import Sequence

import msgspec
import numpy as np
from redis.asyncio import Redis

from argus_common.events import Record
from argus_common.redis_client import redis_errors
from argus_inference.ports import KeptAlerts

KEPT_SECONDS = 14 * 86_400
"""A server that sent nothing for so long is forgotten."""
CHUNK = 200
"""Servers per call: large enough to amortise the round trip, small enough not to hold Redis for long."""
HEAD = np.dtype([("mark", "<u4"), ("step_seconds", "<u4")])
"""The mark is the step + 1, as in the rings."""

_WRITE = """
local n = #KEYS / 2
for i = 1, n do
  redis.call('SET', KEYS[i], ARGV[1 + i], 'EX', ARGV[1])
  local change = ARGV[1 + n + i] == '1' and 'SADD' or 'SREM'
  redis.call(change, KEYS[n + i], ARGV[1 + 2 * n + i])
end
return n
"""

Unsent = list[tuple[bytes, bytes, list[tuple[str, bytes]]]]

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Unsent).decode


class RedisAlertStore:
    """An `AlertStore`: ``width`` numbers per target, under a mark of both; rows of another meaning are never read."""

    def __init__(self, redis: Redis, prefix: str, targets: Sequence[str], width: int) -> None:
        self._redis, self._shape = redis, (len(targets), width)
        mark = hashlib.sha256(f"{list(targets)} {width}".encode()).hexdigest()[:8]
        self._prefix = f"{prefix}:alerts:{mark}"
        self._body = 4 * len(targets) * width
        self._write = redis.register_script(_WRITE)

    async def read(self, names: Sequence[str]) -> KeptAlerts:
        """See `AlertStore.read`."""
        if not names:
            return KeptAlerts(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, *self._shape), np.float32), [])
        with redis_errors("reading alerts"):
            found: list[bytes | None] = await self._redis.mget([self._key(name) for name in names])  # type: ignore[assignment]
        size = HEAD.itemsize + self._body
        values = [value if value is not None and len(value) >= size else bytes(size) for value in found]
        heads = np.frombuffer(b"".join(value[: HEAD.itemsize] for value in values), HEAD)
        rows = np.frombuffer(b"".join(value[HEAD.itemsize : size] for value in values), "<f4")
        unsent = [_records(value[size:]) for value in values]
        steps = heads["mark"].astype(np.int64) - 1
        return KeptAlerts(
            steps, heads["step_seconds"].astype(np.int64), rows.reshape(-1, *self._shape).astype(np.float32), unsent
        )

    async def write(
        self, names: Sequence[str], partitions: Sequence[int], kept: KeptAlerts, standing: Sequence[bool]
    ) -> None:
        """See `AlertStore.write`."""
        heads = np.zeros(len(names), HEAD)
        heads["mark"], heads["step_seconds"] = kept.steps + 1, kept.step_seconds
        rows = kept.rows.astype("<f4")
        for begin in range(0, len(names), CHUNK):
            part = range(begin, min(begin + CHUNK, len(names)))
            keys = [self._key(names[i]) for i in part] + [self._index(partitions[i]) for i in part]
            values = [heads[i].tobytes() + rows[i].tobytes() + _packed(kept.unsent[i]) for i in part]
            listed = [b"1" if standing[i] or kept.unsent[i] else b"0" for i in part]
            with redis_errors("writing alerts"):
                await self._write(keys=keys, args=[KEPT_SECONDS, *values, *listed, *(names[i] for i in part)])

    async def standing(self, partitions: Sequence[int]) -> dict[int, set[str]]:
        """See `AlertStore.standing`."""
        with redis_errors("reading which alerts stand"):
            pipeline = self._redis.pipeline(transaction=False)
            for partition in partitions:
                pipeline.smembers(self._index(partition))
            found: list[set[bytes]] = await pipeline.execute()
        return {
            partition: {member.decode() for member in members}
            for partition, members in zip(partitions, found, strict=True)
        }

    async def clock(self, newest: dict[str, int]) -> dict[str, int]:
        """See `AlertStore.clock`."""
        with redis_errors("telling the time of the fleets"):
            known: dict[bytes, bytes] = await self._redis.hgetall(f"{self._prefix}:clock")  # type: ignore[assignment]
            times = {fleet.decode(): int(end) for fleet, end in known.items()}
            later = {fleet: end for fleet, end in newest.items() if end > times.get(fleet, -1)}
            if later:
                await self._redis.hset(
                    f"{self._prefix}:clock", mapping={fleet: str(end) for fleet, end in later.items()}
                )
        return times | later

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def _index(self, partition: int) -> str:
        return f"{self._prefix}:standing:{partition}"


def _packed(unsent: Sequence[Record]) -> bytes:
    return _pack([(one.key, one.value, list(one.headers)) for one in unsent]) if unsent else b""


def _records(packed: bytes) -> list[Record]:
    return [Record(key, value, headers) for key, value, headers in _unpack(packed)] if packed else []
