"""Which replica trains, and the training that it has claimed, in Redis."""

from redis.asyncio import Redis

from argus_common.redis_client import redis_errors

LEASE_MS = 15_000

_HOLD = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
if not held then
  if ARGV[1] ~= '' then return 0 end
  local now = redis.call('TIME')
  local token = math.max(now[1] * 1000 + math.floor(now[2] / 1000), (tonumber(redis.call('GET', KEYS[2])) or 0) + 1)
  held = string.format('%.0f', token)
  redis.call('SET', KEYS[2], held)
end
redis.call('SET', KEYS[1], held, 'PX', ARGV[2])
return held
"""
"""Takes a free lease under a token that is greater than every earlier one, or keeps the one that is held."""

_CLAIM = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[2]) else redis.call('SET', KEYS[2], ARGV[2]) end
return 1
"""
"""Looks at the token and writes in one step: whoever was suspended and lost the lease writes nothing."""

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class RedisLease:
    """A lease per model. Who holds it may claim a training; the claim outlives the lease."""

    def __init__(self, redis: Redis, prefix: str, model: str) -> None:
        self._redis = redis
        base = f"{prefix}:retrainer:{model}"
        self._lease, self._last, self._training = f"{base}:lease", f"{base}:token", f"{base}:training"
        self._hold, self._put, self._free = (redis.register_script(text) for text in (_HOLD, _CLAIM, _RELEASE))
        self._token = ""

    async def hold(self) -> bool:
        """Take the lease or prolong ours; whether it is ours now. One that was lost is taken anew at the next call.

        Raises:
            TransientError: Redis does not answer.
        """
        with redis_errors("holding the lease of the retrainer"):
            held = await self._hold(keys=[self._lease, self._last], args=[self._token, LEASE_MS])
        self._token = held.decode() if isinstance(held, bytes) else ""
        return bool(self._token)

    async def claim(self, training: bytes) -> bool:
        """Remember what is being trained; empty = nothing. False where the lease was lost.

        Raises:
            TransientError: Redis does not answer.
        """
        with redis_errors("claiming a training"):
            return bool(await self._put(keys=[self._lease, self._training], args=[self._token, training]))

    async def claimed(self) -> bytes | None:
        """What somebody has claimed and not given up.

        Raises:
            TransientError: Redis does not answer.
        """
        with redis_errors("reading the claimed training"):
            found: bytes | None = await self._redis.get(self._training)  # type: ignore[assignment]
        return found

    async def release(self) -> None:
        """Let another replica take over at once.

        Raises:
            TransientError: Redis does not answer.
        """
        with redis_errors("releasing the lease of the retrainer"):
            await self._free(keys=[self._lease], args=[self._token])
        self._token = ""
