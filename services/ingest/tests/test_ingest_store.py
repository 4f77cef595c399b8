"""One contract for every partition store, kept by the fake of these tests and by the one in Redis."""

from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from ingest_outside import FakeStore
from redis.asyncio import Redis

from argus_common.errors import TakenOverError, TransientError
from argus_common.fleet import FleetSums
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.redis_client import build_redis
from argus_common.settings import RedisSettings
from argus_ingest.adapters.redis_store import RedisPartitionStore
from argus_ingest.domain.snapshot import Change, Snapshot
from argus_ingest.ports import PartitionStore


def sums(value: float) -> FleetSums:
    names = DEFAULT_CATALOGUE.names()
    return FleetSums.of(np.full((1, len(names)), value), names)


def change(position: int, heads: dict[str, int], *steps: int) -> Change:
    totals = {("default", step): sums(step) for step in steps}
    return Change(position, heads, totals, totals, floor=position // 2)


class PartitionStoreContract:
    """What ingest relies on."""

    @pytest.fixture
    def store(self) -> PartitionStore:
        raise NotImplementedError

    async def test_a_new_store_knows_nothing(self, store: PartitionStore) -> None:
        assert await store.load(0) is None
        assert await store.lost([0, 1]) == [0, 1]

    async def test_what_was_saved_is_loaded_once_it_is_marked(self, store: PartitionStore) -> None:
        await store.save({0: change(7, {"default/wéb1": 5}, 5, 6)})
        assert await store.load(0) is None
        await store.mark(0)
        loaded = await store.load(0)
        assert loaded is not None
        assert (loaded.position, loaded.heads) == (7, {"default/wéb1": 5})
        assert {key: part.to_bytes() for key, part in loaded.sums.items()} == {
            ("default", 5): sums(5).to_bytes(),
            ("default", 6): sums(6).to_bytes(),
        }

    async def test_heads_add_up_and_the_position_and_the_sums_are_the_latest(self, store: PartitionStore) -> None:
        await store.mark(0)
        await store.save({0: change(7, {"default/a": 5, "default/b": 5}, 5)})
        await store.save({0: change(9, {"default/a": 6}, 6)})
        loaded = await store.load(0)
        assert loaded is not None
        assert (loaded.position, loaded.heads) == (9, {"default/a": 6, "default/b": 5})
        assert set(loaded.sums) == {("default", 6)}

    async def test_the_forgotten_are_dropped_unless_they_are_back(self, store: PartitionStore) -> None:
        parked = {"default/a": [(3, 17, 1e12 + 0.5)], "default/b": [(0, 5, 1.0), (3, 6, 2.0)]}
        await store.mark(0)
        await store.save({0: replace(change(7, {"default/a": 5, "default/b": 5, "default/c": 5}), parked=parked)})
        loaded = await store.load(0)
        assert loaded is not None
        assert (loaded.parked, loaded.floor) == (parked, 3)
        await store.save({0: replace(change(9, {"default/b": 8}), forgotten=["default/a", "default/b"])})
        loaded = await store.load(0)
        assert loaded is not None
        assert (loaded.heads, loaded.parked) == ({"default/b": 8, "default/c": 5}, {})

    async def test_profiles_come_back_with_the_heads_and_go_with_them(self, store: PartitionStore) -> None:
        profiles = {"default/a": "web api", "default/b": "dätabase"}
        await store.mark(0)
        await store.save({0: replace(change(7, {"default/a": 5, "default/b": 5, "default/c": 5}), profiles=profiles)})
        loaded = await store.load(0)
        assert loaded is not None
        assert (loaded.profiles, loaded.heads) == (profiles, {"default/a": 5, "default/b": 5, "default/c": 5})
        await store.save({0: replace(change(9, {}), forgotten=["default/a"])})
        loaded = await store.load(0)
        assert loaded is not None
        assert loaded.profiles == {"default/b": "dätabase"}

    async def test_partitions_are_kept_apart(self, store: PartitionStore) -> None:
        await store.save({0: change(1, {"default/a": 1}), 1: change(2, {})})
        await store.mark(1)
        assert await store.load(0) is None
        assert await store.lost([2, 0, 1]) == [2, 0]
        second = await store.load(1)
        assert second == Snapshot(2, floor=1)

    async def test_saving_nothing_changes_nothing(self, store: PartitionStore) -> None:
        await store.save({})
        assert await store.load(0) is None


class TestTheFake(PartitionStoreContract):
    """In memory."""

    @pytest.fixture
    def store(self) -> PartitionStore:
        return FakeStore()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = build_redis(RedisSettings(url=redis_url))
    yield client
    await client.aclose()


@pytest.mark.stack
class TestInRedis(PartitionStoreContract):
    """On a real server."""

    @pytest.fixture
    def store(self, redis: Redis) -> PartitionStore:
        return RedisPartitionStore(redis, "argus", "metrics", 300)

    async def test_fleet_sums_lie_where_their_readers_look_by_partition(
        self, store: PartitionStore, redis: Redis
    ) -> None:
        await store.save({0: change(1, {}, 5), 3: change(1, {}, 5)})
        fields = await redis.hgetall("argus:fleet:default:5")
        assert fields == {b"0": sums(5).to_bytes(), b"3": sums(5).to_bytes()}
        assert 8 * 86_400 < await redis.ttl("argus:fleet:default:5") <= 9 * 86_400

    async def test_a_state_from_before_there_was_a_floor_can_be_read(self, store: PartitionStore, redis: Redis) -> None:
        await store.mark(0)
        await redis.set("argus:ingest:metrics:300s:0:state", msgspec.msgpack.encode({"position": 5, "sums": []}))
        assert await store.load(0) == Snapshot(5)

    async def test_only_the_replica_that_loaded_a_partition_last_may_save_it(
        self, store: PartitionStore, redis: Redis
    ) -> None:
        other = RedisPartitionStore(redis, "argus", "metrics", 300)
        await store.load(0)
        await store.load(1)
        await store.mark(0)
        await store.save({0: change(5, {"default/a": 5})})
        await other.load(0)
        await other.save({0: change(9, {"default/a": 6})})
        with pytest.raises(TakenOverError, match=r"partitions \[0\] of metrics were taken over"):
            await store.save({1: change(1, {}), 0: change(7, {"default/a": 5})})
        found = await other.load(0)
        assert found is not None
        assert (found.position, found.heads) == (9, {"default/a": 6})
        assert await redis.get("argus:ingest:metrics:300s:1:state") is None
        await store.load(0)
        await store.save({0: change(11, {"default/a": 7})})
        with pytest.raises(TakenOverError):
            await other.save({0: change(10, {})})

    async def test_an_older_holder_stays_fenced_after_the_server_was_emptied(
        self, store: PartitionStore, redis: Redis
    ) -> None:
        other = RedisPartitionStore(redis, "argus", "metrics", 300)
        await store.load(0)
        await other.load(0)
        await redis.flushdb()
        await other.save({0: change(9, {})})
        with pytest.raises(TakenOverError):
            await store.save({0: change(7, {})})

    async def test_topics_and_lengths_of_a_step_are_kept_apart(self, store: PartitionStore, redis: Redis) -> None:
        await store.mark(0)
        assert await RedisPartitionStore(redis, "argus", "other", 300).lost([0]) == [0]
        assert await RedisPartitionStore(redis, "argus", "metrics", 60).lost([0]) == [0]

    async def test_a_store_that_was_emptied_has_lost_its_marks(self, store: PartitionStore, redis: Redis) -> None:
        await store.mark(0)
        assert await store.lost([0]) == []
        await redis.flushdb()
        assert await store.lost([0]) == [0]


async def test_a_server_that_is_away_is_a_passing_trouble() -> None:
    client = build_redis(RedisSettings(url="redis://127.0.0.1:1/0"))
    store = RedisPartitionStore(client, "argus", "metrics", 300)
    lost, save = (store.lost([0]), store.lost([])), store.save({0: change(1, {})})
    for operation in (store.load(0), store.mark(0), *lost, save):
        with pytest.raises(TransientError, match="Redis failed while"):
            await operation
    await client.aclose()
