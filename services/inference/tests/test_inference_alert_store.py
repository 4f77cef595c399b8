"""One contract for the store in memory and for Redis."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from inference_alerts import WIDTH, MemoryAlerts
from inference_domain import STEP, STEP_SECONDS, TARGETS
from redis.asyncio import Redis

from argus_common.events import Record
from argus_common.redis_client import build_redis
from argus_common.settings import RedisSettings
from argus_inference.adapters.redis_alerts import RedisAlertStore
from argus_inference.ports import AlertStore, KeptAlerts

SHAPE = (len(TARGETS.names), WIDTH)
EVENT = Record(b"web1", b'{"alert":"a"}', [("ce_id", b"a/0")])


def kept(*values: float, step: int = STEP, unsent: tuple[Record, ...] = ()) -> KeptAlerts:
    rows = np.broadcast_to(np.array(values, np.float32)[:, None, None], (len(values), *SHAPE)).astype(np.float32)
    size = len(values)
    return KeptAlerts(np.full(size, step), np.full(size, STEP_SECONDS), rows, [list(unsent)] * size)


class AlertStoreContract:
    """What any `AlertStore` does."""

    async def test_what_was_written_is_read_in_the_order_asked_for(self, store: AlertStore) -> None:
        await store.write(["a", "b"], [0, 1], kept(1.5, np.nan), [True, False])
        found = await store.read(["b", "new", "a"])
        assert found.steps.tolist() == [STEP, -1, STEP]
        assert found.step_seconds.tolist() == [STEP_SECONDS, 0, STEP_SECONDS]
        assert found.rows.shape == (3, *SHAPE)
        assert np.isnan(found.rows[0]).all()
        assert (found.rows[1:, 0, 0] == [0, 1.5]).all()
        assert [list(unsent) for unsent in found.unsent] == [[], [], []]

    async def test_no_server_at_all_is_fine(self, store: AlertStore) -> None:
        assert (await store.read([])).rows.shape == (0, *SHAPE)

    async def test_events_that_are_not_acknowledged_stay_with_the_state(self, store: AlertStore) -> None:
        await store.write(["a"], [0], kept(1, unsent=(EVENT, EVENT)), [False])
        (unsent,) = (await store.read(["a"])).unsent
        assert list(unsent) == [EVENT, EVENT]
        await store.write(["a"], [0], kept(2), [False])
        assert list((await store.read(["a"])).unsent[0]) == []

    async def test_what_stands_is_listed_by_partition_and_so_is_what_may_not_be_acknowledged(
        self, store: AlertStore
    ) -> None:
        await store.write(["a", "b", "c"], [0, 1, 1], kept(1, 2, 3), [True, True, False])
        await store.write(["d"], [1], kept(4, unsent=(EVENT,)), [False])
        assert await store.standing([0, 1, 2]) == {0: {"a"}, 1: {"b", "d"}, 2: set()}
        await store.write(["b", "d"], [1, 1], kept(1, 1), [False, False])
        assert await store.standing([1]) == {1: set()}

    async def test_the_time_of_a_fleet_never_moves_back(self, store: AlertStore) -> None:
        assert await store.clock({"eu": 100, "us": 50}) == {"eu": 100, "us": 50}
        assert await store.clock({"eu": 90}) == {"eu": 100, "us": 50}
        assert await store.clock({"us": 60}) == {"eu": 100, "us": 60}


class TestMemoryAlerts(AlertStoreContract):
    @pytest.fixture
    def store(self) -> AlertStore:
        return MemoryAlerts()


class TestRedisAlertStore(AlertStoreContract):
    @pytest.fixture
    async def redis(self, redis_url: str) -> AsyncIterator[Redis]:
        client = build_redis(RedisSettings(url=redis_url))
        yield client
        await client.aclose()

    @pytest.fixture
    def store(self, redis: Redis) -> AlertStore:
        return RedisAlertStore(redis, "argus", TARGETS.names, WIDTH)

    async def test_rows_of_other_targets_are_never_taken_for_ours(self, redis: Redis, store: AlertStore) -> None:
        theirs = RedisAlertStore(redis, "argus", ("x", *TARGETS.names[1:]), WIDTH)
        await theirs.write(["a"], [0], kept(1), [True])
        assert (await store.read(["a"])).steps.tolist() == [-1]
        assert await store.standing([0]) == {0: set()}

    async def test_a_server_that_is_gone_is_forgotten_some_day(self, redis: Redis, store: AlertStore) -> None:
        await store.write(["a"], [0], kept(1), [False])
        (key,) = [key async for key in redis.scan_iter("argus:alerts:*")]
        assert 13 * 86_400 < await redis.ttl(key) <= 14 * 86_400
