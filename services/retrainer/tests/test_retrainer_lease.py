"""One replica at a time, on a real Redis."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from argus_common.errors import TransientError
from argus_common.redis_client import build_redis
from argus_common.settings import RedisSettings
from argus_retrainer.adapters.redis_lease import RedisLease

LEASE = "t:retrainer:fleet:lease"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = build_redis(RedisSettings(url=redis_url))
    yield client
    await client.aclose()


def lease(redis: Redis, model: str = "fleet") -> RedisLease:
    return RedisLease(redis, "t", model)


async def test_a_lease_has_one_holder_and_runs_out_by_itself(redis: Redis) -> None:
    first, second = lease(redis), lease(redis)
    assert (await first.hold(), await second.hold(), await first.hold()) == (True, False, True)
    assert await lease(redis, "other").hold(), "a lease per model"
    assert 0 < await redis.pttl(LEASE) <= 15_000
    await redis.delete(LEASE)
    assert await second.hold()
    assert not await first.hold(), "it was lost, and is taken anew when it is free"
    await second.release()
    assert await first.hold()


async def test_whoever_lost_the_lease_claims_nothing(redis: Redis) -> None:
    first, second = lease(redis), lease(redis)
    await first.hold()
    assert await first.claim(b"one")
    await redis.delete(LEASE)
    assert not await first.claim(b"late")
    await second.hold()
    assert not await first.claim(b"late")
    assert await second.claimed() == b"one", "a claim outlives its lease"
    assert await second.claim(b"")
    assert await second.claimed() is None


async def test_tokens_rise(redis: Redis) -> None:
    tokens = []
    for _ in range(3):
        one = lease(redis)
        await one.hold()
        tokens.append(int(await redis.get(LEASE) or 0))
        await one.release()
    assert tokens == sorted(set(tokens))


async def test_a_lease_that_was_released_by_another_stays(redis: Redis) -> None:
    first, second = lease(redis), lease(redis)
    await first.hold()
    await second.release()
    assert await first.hold()


async def test_a_redis_that_is_away_is_told_as_such() -> None:
    client = build_redis(RedisSettings(url="redis://127.0.0.1:1/0"))
    with pytest.raises(TransientError, match="holding the lease"):
        await lease(client).hold()
    await client.aclose()
