"""One contract for the fakes and for Redis: what the other tests rely on in memory holds on the real one."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from inference_domain import LEVELS, STEP, TARGETS, MemoryHistory, MemoryLedger
from redis.asyncio import Redis

from argus_common.redis_client import build_redis
from argus_common.ring import RingLayout, RingStore
from argus_common.settings import RedisSettings
from argus_forecasting.forecaster import Floats
from argus_inference.adapters.redis_ledger import LEDGER_STEPS, RedisForecastLedger
from argus_inference.domain.scoring import SCORED_LEADS
from argus_inference.ports import ForecastLedger, HistoryStore

SHAPE = (len(TARGETS.names), len(SCORED_LEADS), len(LEVELS))


def forecasts(*values: float) -> Floats:
    """(server, target, scored lead, level), where each number tells server, lead and level."""
    base = np.array(values, np.float32)[:, None, None, None]
    leads, levels = np.arange(3)[None, None, :, None] * 10, np.arange(3)[None, None, None, :]
    return np.broadcast_to(base + leads + levels, (len(values), *SHAPE)).astype(np.float32)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = build_redis(RedisSettings(url=redis_url))
    yield client
    await client.aclose()


class LedgerContract:
    """What any `ForecastLedger` does."""

    async def test_a_forecast_is_due_at_each_scored_lead(self, ledger: ForecastLedger) -> None:
        await ledger.keep(["eu/a", "eu/b"], STEP, forecasts(100, 200))
        for position, lead in enumerate(SCORED_LEADS):
            due = await ledger.due(["eu/b", "eu/a"], STEP + lead)
            assert due.shape == (2, *SHAPE)
            assert due[:, 1, position].tolist() == [[200 + 10 * position + level for level in range(3)],
                                                    [100 + 10 * position + level for level in range(3)]]  # fmt: skip
            others = [k for k in range(3) if k != position]
            assert np.isnan(due[:, :, others]).all()

    async def test_each_lead_comes_from_its_own_origin(self, ledger: ForecastLedger) -> None:
        for lead in SCORED_LEADS:
            await ledger.keep(["eu/a"], STEP - lead, forecasts(lead * 1000))
        due = await ledger.due(["eu/a"], STEP)
        assert due[0, 0, :, 0].tolist() == [1000, 12010, 96020]

    async def test_a_server_that_was_never_forecast_has_nothing_due(self, ledger: ForecastLedger) -> None:
        assert np.isnan(await ledger.due(["eu/new"], STEP)).all()

    async def test_keeping_again_changes_nothing(self, ledger: ForecastLedger) -> None:
        for _ in range(2):
            await ledger.keep(["eu/a"], STEP, forecasts(100))
        assert (await ledger.due(["eu/a"], STEP + 1))[0, :, 0].tolist() == [[100, 101, 102]] * 3

    async def test_what_was_not_seen_stays_unknown(self, ledger: ForecastLedger) -> None:
        made = forecasts(100)
        made[0, 1] = np.nan
        await ledger.keep(["eu/a"], STEP, made)
        due = await ledger.due(["eu/a"], STEP + 1)
        assert np.isnan(due[0, :, 0, 0]).tolist() == [False, True, False]

    async def test_no_server_at_all_is_fine(self, ledger: ForecastLedger) -> None:
        assert (await ledger.due([], STEP)).shape == (0, *SHAPE)


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    def ledger(self) -> ForecastLedger:
        return MemoryLedger()


class TestRedisForecastLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, redis: Redis) -> ForecastLedger:
        return RedisForecastLedger(redis, "argus:abc", TARGETS.names, LEVELS)

    async def test_forecasts_of_other_levels_are_never_taken_for_ours(self, redis: Redis) -> None:
        ours = RedisForecastLedger(redis, "argus:abc", TARGETS.names, LEVELS)
        theirs = RedisForecastLedger(redis, "argus:abc", TARGETS.names, (0.2, 0.5, 0.8))
        await theirs.keep(["eu/a"], STEP, forecasts(100))
        assert np.isnan(await ours.due(["eu/a"], STEP + 1)).all()

    async def test_an_origin_that_the_ring_has_passed_is_gone(self, redis: Redis) -> None:
        ledger = RedisForecastLedger(redis, "argus:abc", TARGETS.names, LEVELS)
        await ledger.keep(["eu/a"], STEP, forecasts(100))
        await ledger.keep(["eu/a"], STEP + LEDGER_STEPS, forecasts(300))
        assert np.isnan(await ledger.due(["eu/a"], STEP + 96)).all()


class HistoryContract:
    """What any `HistoryStore` does."""

    async def test_the_steps_up_to_the_origin_come_in_order(self, history: HistoryStore) -> None:
        read = await history.read(["eu/a", "eu/none"], STEP, 4)
        assert read.shape == (2, 4, 2)
        assert read[0, 2:].tolist() == [[1, 10], [2, 20]]
        assert np.isnan(read[0, :2]).all()
        assert np.isnan(read[1]).all()

    async def test_nothing_after_the_origin_is_read(self, history: HistoryStore) -> None:
        read = await history.read(["eu/a"], STEP - 1, 2)
        assert read[0, 1].tolist() == [1, 10]
        assert np.isnan(read[0, 0]).all()


class TestMemoryHistory(HistoryContract):
    @pytest.fixture
    def history(self) -> HistoryStore:
        rows = {STEP - 1: np.array([1, 10], np.float32), STEP: np.array([2, 20], np.float32)}
        return MemoryHistory(2, {"eu/a": rows})


class TestRingStoreAsHistory(HistoryContract):
    @pytest.fixture
    async def history(self, redis: Redis) -> HistoryStore:
        store = RingStore(redis, "argus:abc:ring", RingLayout(2, 8))
        steps, values = np.array([STEP - 1, STEP]), np.array([[1, 10], [2, 20]], np.float32)
        for i in range(2):
            await store.write(["eu/a"], steps[i : i + 1], values[i : i + 1])
        return store
