"""One contract for the fakes and for Redis: what the other tests rely on in memory holds on the real one."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from inference_domain import LEVELS, STEP, TARGETS, MemoryHistory, MemoryLedger, MemoryTrust
from redis.asyncio import Redis

from argus_common.events import SCORED_LEADS
from argus_common.redis_client import build_redis
from argus_common.ring import RingLayout, RingStore
from argus_common.settings import RedisSettings
from argus_forecasting.forecaster import Floats
from argus_inference.adapters.redis_ledger import SPARE_STEPS, RedisForecastLedger
from argus_inference.adapters.redis_trust import ROWS, RedisTrustStore
from argus_inference.domain.trust_rows import row_width
from argus_inference.ports import ForecastLedger, HistoryStore, TrustStore

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
        await ledger.keep(["eu/a"], STEP + 96 + SPARE_STEPS, forecasts(300))
        assert np.isnan(await ledger.due(["eu/a"], STEP + 96)).all()


BOTH = ("web@1", "analog@1")
WIDTH = row_width(len(TARGETS.names), len(LEVELS))


def learned(*values: float) -> Floats:
    """(source, server, number) rows, where the second source has the opposite of the first."""
    first = np.repeat(np.array(values, np.float32)[:, None], WIDTH, axis=1)
    return np.stack([first, -first])


async def taught(trust: TrustStore, step: int, value: float, names: tuple[str, ...] = ("eu/a",)) -> None:
    """Keep this value in every row, and a hundred times as much as forecasts."""
    raw = np.stack([forecasts(*[100 * value] * len(names))] * 2)
    await trust.keep(BOTH, names, step, learned(*[value] * len(names)), raw)


class TrustContract:
    """What any `TrustStore` does."""

    async def test_what_was_learned_is_known_at_the_next_step(self, trust: TrustStore) -> None:
        await taught(trust, STEP, 1)
        known = await trust.read(BOTH, ["eu/b", "eu/a"], STEP + 1)
        assert known.rows.shape == (2, 2, WIDTH)
        assert known.rows[:, 1, 0].tolist() == [1, -1]
        assert np.isnan(known.rows[:, 0]).all()
        assert not known.settled.any()
        assert known.due[0, 1, 0, 0].tolist() == [100, 101, 102]

    async def test_a_gap_of_any_length_forgets_nothing(self, trust: TrustStore) -> None:
        await taught(trust, STEP, 1)
        known = await trust.read(BOTH, ["eu/a"], STEP + 5000)
        assert known.rows[0, 0, 0] == 1
        assert np.isnan(known.due).all()

    async def test_a_step_that_is_told_again_finds_its_own_row(self, trust: TrustStore) -> None:
        for step, value in ((STEP, 1), (STEP + 1, 2), (STEP + 2, 3)):
            await taught(trust, step, value)
        known = await trust.read(BOTH, ["eu/a"], STEP + 1)
        assert known.rows[:, 0, 0].tolist() == [2, -2]
        assert known.settled.all()

    async def test_one_source_may_be_settled_without_the_other(self, trust: TrustStore) -> None:
        await taught(trust, STEP, 1)
        await trust.keep(BOTH[:1], ["eu/a"], STEP + 1, learned(2)[:1], np.stack([forecasts(200)]))
        known = await trust.read(BOTH, ["eu/a"], STEP + 1)
        assert known.rows[:, 0, 0].tolist() == [2, -1]
        assert known.settled[:, 0].tolist() == [True, False]

    async def test_another_version_of_a_model_begins_anew(self, trust: TrustStore) -> None:
        await taught(trust, STEP, 1)
        known = await trust.read(("web@2", "analog@1"), ["eu/a"], STEP + 1)
        assert np.isnan(known.rows[0]).all()
        assert known.rows[1, 0, 0] == -1

    async def test_no_server_at_all_teaches_nothing(self, trust: TrustStore) -> None:
        await trust.keep(BOTH, [], STEP, learned(), np.stack([forecasts()] * 2))
        assert (await trust.read(BOTH, [], STEP)).rows.shape == (2, 0, WIDTH)


class TestMemoryTrust(TrustContract):
    @pytest.fixture
    def trust(self) -> TrustStore:
        return MemoryTrust()


class TestRedisTrustStore(TrustContract):
    @pytest.fixture
    def trust(self, redis: Redis) -> TrustStore:
        return RedisTrustStore(redis, "argus:abc", TARGETS.names, LEVELS)

    async def test_other_levels_are_another_store(self, redis: Redis) -> None:
        await taught(RedisTrustStore(redis, "argus:abc", TARGETS.names, (0.2, 0.5, 0.8)), STEP, 1)
        known = await RedisTrustStore(redis, "argus:abc", TARGETS.names, LEVELS).read(BOTH, ["eu/a"], STEP + 1)
        assert np.isnan(known.rows).all()

    async def test_the_last_few_steps_are_kept_and_no_more(self, trust: TrustStore) -> None:
        for step in range(STEP, STEP + ROWS + 1):
            await taught(trust, step, step - STEP + 1)
        assert np.isnan((await trust.read(BOTH, ["eu/a"], STEP)).rows).all()
        assert (await trust.read(BOTH, ["eu/a"], STEP + 1)).settled.all()

    async def test_what_was_learned_of_a_server_that_is_gone_expires(self, redis: Redis, trust: TrustStore) -> None:
        await taught(trust, STEP, 1)
        keys = [key async for key in redis.scan_iter("argus:abc:trust:*:eu/a")]
        assert len(keys) == len(BOTH) * (1 + len(SCORED_LEADS))
        assert all([0 < await redis.ttl(key) <= 8 * 86_400 for key in keys])


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
