"""The rings on a real Redis."""

from collections.abc import AsyncIterator
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from argus_common.errors import TransientError
from argus_common.redis_client import build_redis
from argus_common.ring import RingLayout, RingStore
from argus_common.ring.store import RENEW_EVERY
from argus_common.settings import RedisSettings

pytestmark = pytest.mark.stack

Floats = npt.NDArray[np.float32]
LAYOUT = RingLayout(width=3, steps=10)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = build_redis(RedisSettings(url=redis_url))
    yield client
    await client.aclose()


@pytest.fixture
def rings(redis: Redis) -> RingStore:
    return RingStore(redis, "argus:ring", LAYOUT)


def rows(*steps: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Each step with values that tell which step they are of."""
    numbers = np.asarray(steps, np.int64)
    return numbers, (numbers[:, None] * 10 + np.arange(3)).astype(np.float32)


def first_column(read: Floats) -> list[list[float | None]]:
    return [[None if np.isnan(value) else float(value) for value in server[:, 0]] for server in read]


async def test_what_was_written_is_read_and_the_rest_is_missing(rings: RingStore) -> None:
    steps, values = rows(100, 102, 101)
    await rings.write(["a", "a", "b"], steps, values)
    read = await rings.read(["a", "b", "never"], last_step=103, length=4)
    assert read.shape == (3, 4, 3)
    assert read.dtype == np.float32
    assert first_column(read) == [[1000, None, 1020, None], [None, 1010, None, None], [None] * 4]


async def test_a_ring_that_is_no_longer_written_expires_and_one_that_is_stays(redis: Redis) -> None:
    rings = RingStore(redis, "argus:kept", LAYOUT, kept=timedelta(hours=1))
    await rings.write(["a"], *rows(100))
    assert 3590 < await redis.ttl("argus:kept:a") <= 3600
    for step in range(101, 101 + RENEW_EVERY):
        await redis.expire("argus:kept:a", 5)
        await rings.write(["a"], *rows(step))
        assert (await redis.ttl("argus:kept:a") > 5) is (step % RENEW_EVERY == 0)
    await redis.expire("argus:kept:a", 5)
    for hour in range(RENEW_EVERY):
        await rings.write(["a"], *rows(200 + 12 * hour))
    assert await redis.ttl("argus:kept:a") > 5


async def test_without_a_limit_a_ring_stays(rings: RingStore, redis: Redis) -> None:
    await rings.write(["a"], *rows(RENEW_EVERY))
    assert await redis.ttl("argus:ring:a") == -1


async def test_a_ring_forgets_what_is_older_than_its_length(rings: RingStore) -> None:
    for step in range(95, 112):
        await rings.write(["a"], *rows(step))
    assert first_column(await rings.read(["a"], 111, 10)) == [[float(step * 10) for step in range(102, 112)]]
    assert first_column(await rings.read(["a"], 101, 7)) == [[None] * 7]


async def test_the_first_steps_of_the_epoch_are_like_any_other(rings: RingStore) -> None:
    await rings.write(["a"], *rows(1))
    assert first_column(await rings.read(["a"], 1, 4)) == [[None, None, None, 10]]
    await rings.write(["a"], *rows(0))
    assert first_column(await rings.read(["a"], 1, 4)) == [[None, None, 0, 10]]


async def test_rewriting_a_row_changes_nothing(rings: RingStore, redis: Redis) -> None:
    await rings.write(["a", "a"], *rows(7, 8))
    once = await redis.get("argus:ring:a")
    await rings.write(["a", "a", "a"], *rows(8, 7, 8))
    assert await redis.get("argus:ring:a") == once
    assert once is not None
    assert len(once) == LAYOUT.ring_bytes


async def test_single_steps_are_read_in_the_order_asked_for(rings: RingStore) -> None:
    await rings.write(["a"] * 3, *rows(20, 21, 29))
    assert first_column(await rings.read_steps(["a", "b"], [29, 20, 30, 21])) == [[290, 200, None, 210], [None] * 4]


async def test_more_servers_than_one_call_takes_keep_their_own_values(rings: RingStore) -> None:
    names = [f"s{i}" for i in range(450)]
    await rings.write(names, *rows(*range(1000, 1450)))
    read = await rings.read_steps(names, list(range(1000, 1450)))
    assert np.isnan(read[:, :, 0]).sum() == 450 * 449
    assert np.diagonal(read[:, :, 0]).tolist() == [float(step * 10) for step in range(1000, 1450)]


async def test_no_servers_are_no_work(rings: RingStore) -> None:
    await rings.write([], *rows())
    assert (await rings.read([], 10, 5)).shape == (0, 5, 3)


@pytest.mark.parametrize("length", [0, -1, 11])
async def test_more_than_the_ring_holds_can_not_be_asked_for(rings: RingStore, length: int) -> None:
    with pytest.raises(ValueError, match=f"asked for {length} steps of a ring that holds 10"):
        await rings.read(["a"], 100, length)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    written=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), max_size=60),
    last=st.integers(0, 65),
    length=st.integers(1, 10),
)
async def test_reading_gives_the_last_write_of_each_step_over_any_wrap_around(
    redis: Redis, rings: RingStore, written: list[tuple[str, int]], last: int, length: int
) -> None:
    await redis.flushdb()
    held: dict[tuple[str, int], int] = {}
    for name, step in written:
        held[name, step % 10] = step
    await rings.write([name for name, _ in written], *rows(*[step for _, step in written]))
    expected = [
        [
            float(step * 10) if held.get((name, step % 10)) == step else None
            for step in range(last - length + 1, last + 1)
        ]
        for name in "abc"
    ]
    assert first_column(await rings.read(list("abc"), last, length)) == expected


async def test_a_key_of_another_kind_is_a_failure_and_not_a_missing_ring(rings: RingStore, redis: Redis) -> None:
    await redis.lpush("argus:ring:a", "x")
    with pytest.raises(TransientError, match=r"Redis failed while reading rings: .*WRONGTYPE"):
        await rings.read(["a"], 10, 5)
    with pytest.raises(TransientError, match=r"Redis failed while writing rings: .*WRONGTYPE"):
        await rings.write(["a"], *rows(1))


async def test_rings_survive_a_script_cache_that_was_emptied(rings: RingStore, redis: Redis) -> None:
    await rings.write(["a"], *rows(5))
    await redis.script_flush()
    assert first_column(await rings.read(["a"], 5, 1)) == [[50]]
