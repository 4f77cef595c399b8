"""The fleets' aggregates that ingest keeps in Redis: one hash per fleet and step, one field per source partition."""

from redis.asyncio import Redis

from argus_common.fleet import FleetSums
from argus_common.redis_client import redis_errors


class RedisFleetStore:
    """A `FleetStore` over what ingest writes under the same ``prefix``."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix

    async def read(self, fleet: str, step: int) -> FleetSums:
        """See `FleetStore.read`."""
        with redis_errors("reading a fleet's aggregate"):
            parts: dict[bytes, bytes] = await self._redis.hgetall(f"{self._prefix}:fleet:{fleet}:{step}")  # type: ignore[assignment]
        total = FleetSums.none()
        for part in parts.values():
            total = total.merge(FleetSums.from_bytes(part))
        return total
