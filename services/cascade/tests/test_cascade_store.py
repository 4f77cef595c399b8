"""What is remembered in a real Redis: atomic, fenced, and told when it was lost."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from argus_common.errors import TakenOverError, TransientError
from argus_common.events import Record
from argus_common.forecasts.ports import Kept
from argus_common.forecasts.redis_store import RedisStore
from argus_common.redis_client import build_redis
from argus_common.settings import RedisSettings

EVENT = Record(b"eu", b"{}", [("ce_id", b"eu/1/0")])
KEY = ("eu: north/1", 300)
STATE = Kept(41, {KEY: b"\x00state"}, {KEY: [EVENT]})


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = build_redis(RedisSettings(url=redis_url))
    yield client
    await client.aclose()


def store(redis: Redis) -> RedisStore:
    return RedisStore(redis, "argus", "cascade", "argus.predictions.v1")


async def test_what_was_saved_is_what_the_next_holder_finds(redis: Redis) -> None:
    first, second = store(redis), store(redis)
    assert await first.take_over(3) is None
    assert await first.save(3, STATE, whole=False)
    assert await second.take_over(3) == STATE
    assert await second.take_over(4) is None


async def test_a_save_keeps_the_fleets_that_it_does_not_name(redis: Redis) -> None:
    kept = store(redis)
    await kept.take_over(0)
    await kept.save(0, STATE, whole=False)
    await kept.save(0, Kept(50, {("us", 60): b"other"}), whole=False)
    assert await kept.take_over(0) == Kept(50, {KEY: b"\x00state", ("us", 60): b"other"}, {KEY: [EVENT]})


async def test_what_was_told_is_struck_out(redis: Redis) -> None:
    kept = store(redis)
    await kept.take_over(0)
    await kept.save(0, STATE, whole=False)
    await kept.told(0, [KEY])
    assert await kept.take_over(0) == Kept(41, {KEY: b"\x00state"}, {})


async def test_only_the_latest_holder_writes(redis: Redis) -> None:
    slow, quick = store(redis), store(redis)
    await slow.take_over(0)
    await slow.save(0, STATE, whole=False)
    await quick.take_over(0)
    for whole in (False, True):
        with pytest.raises(TakenOverError):
            await slow.save(0, Kept(1, {}), whole=whole)
    with pytest.raises(TakenOverError):
        await slow.told(0, [KEY])
    assert await quick.take_over(0) == STATE


async def test_a_store_that_was_emptied_says_so_and_takes_only_the_whole(redis: Redis) -> None:
    kept, late = store(redis), store(redis)
    await late.take_over(0)
    await kept.take_over(0)
    await redis.flushdb()
    assert not await kept.save(0, STATE, whole=False)
    assert await redis.dbsize() == 0
    assert await kept.save(0, STATE, whole=True)
    with pytest.raises(TakenOverError):
        await late.save(0, Kept(1, {}), whole=False)


async def test_a_redis_that_is_away_is_a_passing_trouble() -> None:
    client = build_redis(RedisSettings(url="redis://127.0.0.1:1"))
    with pytest.raises(TransientError):
        await store(client).take_over(0)
    await client.aclose()
