"""What is remembered of partitions, in Redis: one hash per partition, every write of it atomic and fenced."""

from collections.abc import Iterable, Sequence

import msgspec
from redis.asyncio import Redis

from argus_common.errors import TakenOverError
from argus_common.events import Record
from argus_common.forecasts.ports import FleetKey, Kept
from argus_common.redis_client import redis_errors

KEPT_SECONDS = 14 * 86_400
"""A partition that was not written for so long is forgotten."""
HOLDER, POSITION, STATE, UNSENT = b"holder", b"position", b"state:", b"unsent:"

_TAKE_OVER = """
local now = redis.call('TIME')
local last = tonumber(redis.call('HGET', KEYS[1], 'holder')) or 0
local token = math.max(now[1] * 1000 + math.floor(now[2] / 1000), last + 1)
redis.call('HSET', KEYS[1], 'holder', string.format('%.0f', token))
redis.call('EXPIRE', KEYS[1], ARGV[1])
return redis.call('HGETALL', KEYS[1])
"""
"""A token that is greater than every earlier one, those of before the server was emptied among them."""

_SAVE = """
local held = redis.call('HGET', KEYS[1], 'holder')
if held and tonumber(held) > tonumber(ARGV[1]) then return 'taken' end
if not held and ARGV[2] ~= '1' then return 'empty' end
redis.call('HSET', KEYS[1], 'holder', ARGV[1])
for i = 4, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 'saved'
"""
"""Arguments: token, whether everything is written, seconds to keep it, then fields and values."""

_TOLD = """
local held = redis.call('HGET', KEYS[1], 'holder')
if held and tonumber(held) > tonumber(ARGV[1]) then return 'taken' end
for i = 2, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
return 'saved'
"""

Unsent = list[tuple[bytes, bytes, list[tuple[str, bytes]]]]

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Unsent).decode


class RedisStore:
    """A `Store`. ``service``: whose; it names the keys.

    Whoever takes a partition over gets a token greater than all before, and only the greatest may write: a replica that
    was slow or suspended while its partitions went to another can't undo the other's work.
    """

    def __init__(self, redis: Redis, prefix: str, service: str, topic: str) -> None:
        self._redis, self._prefix = redis, f"{prefix}:{service}:{topic}"
        self._take_over, self._save = redis.register_script(_TAKE_OVER), redis.register_script(_SAVE)
        self._told = redis.register_script(_TOLD)
        self._tokens: dict[int, int] = {}

    async def take_over(self, partition: int) -> Kept | None:
        """See `Store.take_over`."""
        with redis_errors("taking a partition over"):
            found: list[bytes] = await self._take_over(keys=[self._key(partition)], args=[KEPT_SECONDS])
        fields = dict(zip(found[::2], found[1::2], strict=True))
        self._tokens[partition] = int(fields[HOLDER])
        if POSITION not in fields:
            return None
        unsent = {_fleet(name, UNSENT): _records(value) for name, value in fields.items() if name.startswith(UNSENT)}
        states = {_fleet(name, STATE): value for name, value in fields.items() if name.startswith(STATE)}
        return Kept(int(fields[POSITION]), states, unsent)

    async def save(self, partition: int, changed: Kept, *, whole: bool) -> bool:
        """See `Store.save`."""
        fields: list[bytes] = [POSITION, b"%d" % changed.position]
        for key, state in changed.fleets.items():
            fields += [_field(STATE, key), state]
        for key, records in changed.unsent.items():
            if records:
                fields += [_field(UNSENT, key), _packed(records)]
        arguments = [self._tokens.get(partition, 0), b"1" if whole else b"0", KEPT_SECONDS, *fields]
        with redis_errors("saving a partition"):
            answer: bytes = await self._save(keys=[self._key(partition)], args=arguments)
        self._check(partition, answer)
        return answer == b"saved"

    async def told(self, partition: int, fleets: Iterable[FleetKey]) -> None:
        """See `Store.told`."""
        names = [_field(UNSENT, key) for key in fleets]
        with redis_errors("forgetting what was told"):
            answer = await self._told(keys=[self._key(partition)], args=[self._tokens.get(partition, 0), *names])
        self._check(partition, answer)

    def _check(self, partition: int, answer: bytes) -> None:
        if answer == b"taken":
            raise TakenOverError(f"partition {partition} was taken over by another replica")

    def _key(self, partition: int) -> str:
        return f"{self._prefix}:{partition}"


def _field(kind: bytes, key: FleetKey) -> bytes:
    return kind + f"{key[1]}:{key[0]}".encode()


def _fleet(name: bytes, kind: bytes) -> FleetKey:
    step_seconds, _, fleet = name.removeprefix(kind).decode().partition(":")
    return fleet, int(step_seconds)


def _packed(unsent: Sequence[Record]) -> bytes:
    return _pack([(one.key, one.value, list(one.headers)) for one in unsent])


def _records(packed: bytes) -> list[Record]:
    return [Record(key, value, headers) for key, value, headers in _unpack(packed)]
