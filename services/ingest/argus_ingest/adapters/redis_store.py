"""Partition snapshots and fleet sums in Redis."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from argus_common.errors import TakenOverError
from argus_common.fleet import FleetSums
from argus_common.redis_client import redis_errors
from argus_ingest.domain.snapshot import Change, Snapshot
from argus_ingest.domain.steps import NEVER

FLEET_SUMS_KEPT = timedelta(days=9)
"""A day longer than the rings, whose steps they accompany."""


class _State(msgspec.Struct):
    position: int
    sums: list[tuple[str, int, bytes]]
    floor: int = NEVER


_decode_state = msgspec.msgpack.Decoder(_State).decode
_decode_parked = msgspec.msgpack.Decoder(list[tuple[int, int, float]]).decode
_encode = msgspec.msgpack.Encoder().encode

_TAKE_OVER = """
local now = redis.call('TIME')
local token = math.max(now[1] * 1000 + math.floor(now[2] / 1000), (tonumber(redis.call('GET', KEYS[1])) or 0) + 1)
redis.call('SET', KEYS[1], string.format('%.0f', token))
return string.format('%.0f', token)
"""
"""A token that is greater than every earlier one, those of before the server was emptied among them."""


class RedisPartitionStore:
    """Per partition a string (position, sums of the latest steps), two hashes by server (last closed step and
    profile; parked counters), a mark and its holder's token.

    Whoever loads a partition gets a token greater than all before, and only the greatest may save: a replica that was
    slow or suspended while its partitions went to another can't undo the other's work.

    Steps of another length are numbered otherwise, so their state is another.

    The mark is set once the rings are known to be complete and by nothing else, so a store that was emptied between
    two writes is told from one that was not.
    """

    def __init__(self, redis: Redis, prefix: str, topic: str, step_seconds: int) -> None:
        self._redis, self._prefix, self._topic = redis, prefix, topic
        self._states = f"{prefix}:ingest:{topic}:{step_seconds}s"
        self._take_over = redis.register_script(_TAKE_OVER)
        self._tokens: dict[int, int] = {}

    async def load(self, partition: int) -> Snapshot | None:
        """Take it over; the last snapshot, None where there is none."""
        with redis_errors("loading a partition's state"):
            self._tokens[partition] = int(await self._take_over(keys=[self._key(partition, "holder")]))
            marked = await self._redis.exists(self._key(partition, "mark"))
            raw: bytes | None = await self._redis.get(self._key(partition, "state"))  # type: ignore[assignment]
            if raw is None or not marked:
                return None
            heads: dict[bytes, bytes] = await self._redis.hgetall(self._key(partition, "heads"))  # type: ignore[assignment]
            parked: dict[bytes, bytes] = await self._redis.hgetall(self._key(partition, "parked"))  # type: ignore[assignment]
        state = _decode_state(raw)
        sums = {(fleet, step): FleetSums.from_bytes(part) for fleet, step, part in state.sums}
        return Snapshot(
            state.position,
            {name.decode(): int(head.partition(b" ")[0]) for name, head in heads.items()},
            sums,
            state.floor,
            {name.decode(): _decode_parked(entries) for name, entries in parked.items()},
            {name.decode(): head.partition(b" ")[2].decode() for name, head in heads.items() if b" " in head},
        )

    async def save(self, changes: Mapping[int, Change]) -> None:
        """Write all changes in one transaction, unless one of the partitions was taken over.

        Raises:
            TakenOverError: one was.
        """
        if not changes:
            return
        with redis_errors("saving partitions"):
            async with self._redis.pipeline(transaction=True) as pipe:
                await self._check_held(pipe, list(changes))
                for partition, change in changes.items():
                    self._add(pipe, partition, change)
                await pipe.execute()

    async def _check_held(self, pipe: Pipeline, partitions: Sequence[int]) -> None:
        """Open the transaction, which fails if a holder changes before it ends."""
        keys = [self._key(partition, "holder") for partition in partitions]
        await pipe.watch(*keys)
        holders: list[bytes | None] = await pipe.mget(keys)  # type: ignore[assignment]
        pairs = zip(partitions, holders, strict=True)
        lost = [partition for partition, holder in pairs if int(holder or 0) > self._tokens.get(partition, 0)]
        if lost:
            raise TakenOverError(f"partitions {lost} of {self._topic} were taken over by another replica")
        pipe.multi()  # type: ignore[no-untyped-call]

    async def mark(self, partition: int) -> None:
        """State that the rings of this partition's servers are complete."""
        with redis_errors("marking a partition"):
            await self._redis.set(self._key(partition, "mark"), b"1")

    async def lost(self, partitions: Sequence[int]) -> list[int]:
        """Which of these lack the mark: Redis was emptied since. Asks it even where none is named: it may be away."""
        with redis_errors("looking for partitions' marks"):
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.ping()
                for partition in partitions:
                    pipe.exists(self._key(partition, "mark"))
                _, *found = await pipe.execute()
        return [partition for partition, exists in zip(partitions, found, strict=True) if not exists]

    def _add(self, pipe: Pipeline, partition: int, change: Change) -> None:
        sums = [(fleet, step, part.to_bytes()) for (fleet, step), part in change.sums.items()]
        pipe.set(self._key(partition, "holder"), self._tokens.get(partition, 0))
        pipe.set(self._key(partition, "state"), _encode(_State(change.position, sums, change.floor)))
        heads, parked = self._key(partition, "heads"), self._key(partition, "parked")
        if change.forgotten:
            pipe.hdel(heads, *change.forgotten)
            pipe.hdel(parked, *change.forgotten)
        if change.heads:
            told = {name: f"{step} {change.profiles.get(name, '')}".rstrip() for name, step in change.heads.items()}
            pipe.hset(heads, mapping=told)  # type: ignore[arg-type]
        if change.parked:
            pipe.hset(parked, mapping={name: _encode(entries) for name, entries in change.parked.items()})
        for (fleet, step), part in change.changed.items():
            key = f"{self._prefix}:fleet:{fleet}:{step}"
            pipe.hset(key, str(partition), part.to_bytes())
            pipe.expire(key, FLEET_SUMS_KEPT)

    def _key(self, partition: int, part: str) -> str:
        return f"{self._states}:{partition}:{part}"
