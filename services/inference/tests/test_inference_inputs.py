"""A model sees the same in serving, from the rings and sums in Redis, as in training, from an archive."""

from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from redis.asyncio import Redis

from argus_common.events import WindowClosed
from argus_common.fleet import FleetSums
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.redis_client import build_redis
from argus_common.ring import RingLayout, RingStore
from argus_common.settings import RedisSettings
from argus_forecasting.batch import Origins, Request, described, series
from argus_forecasting.features.inputs import prepare
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.trace_store import TraceStore
from argus_inference.adapters.redis_fleet import RedisFleetStore
from argus_inference.domain.series import Targets

NAMES = DEFAULT_CATALOGUE.names()
TARGETS = Targets.of(DEFAULT_CATALOGUE)
SERVERS, LENGTH, FIRST = 3, 2112, 5_900_000
PROFILES = ("database", "web_api", "")
SCHEMA = FeatureSchema(300, TARGETS.names, ("database", "web_api"), NAMES)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = build_redis(RedisSettings(url=redis_url))
    yield client
    await client.aclose()


def recorded() -> np.ndarray:
    """(server, time, metric) with gaps."""
    rng = np.random.default_rng(3)
    values = np.clip(rng.gamma(4, 10, (SERVERS, LENGTH, len(NAMES))), 0, 99).astype(np.float32)
    values[rng.random(values.shape[:2]) < 0.03] = np.nan
    values[:, -2:] = 50 + rng.random((SERVERS, 2, len(NAMES)), np.float32)
    return values


def archive(values: np.ndarray) -> TraceStore:
    frames = [
        pl.DataFrame(
            {
                "server": f"s{server}",
                "timestamp": (FIRST + np.arange(LENGTH)) * 300_000,
                "profile": PROFILES[server],
                **{name: values[server, :, column] for column, name in enumerate(NAMES)},
            }
        ).filter(pl.Series(np.isfinite(values[server, :, 0])))
        for server in range(SERVERS)
    ]
    return TraceStore.of(pl.concat(frames), 300)


async def test_rings_and_archive_give_the_same_inputs(redis: Redis, unique_prefix: str) -> None:
    values = recorded()
    rings = RingStore(redis, f"{unique_prefix}:ring", RingLayout(len(NAMES), 2304))
    for server in range(SERVERS):
        known = np.isfinite(values[server, :, 0])
        steps = (FIRST + np.arange(LENGTH))[known]
        await rings.write([f"default/s{server}"] * len(steps), steps, values[server][known])
    last = FIRST + LENGTH - 1
    for partition in range(SERVERS):  # as ingest has it: each source partition its own sums
        part = FleetSums.of(values[partition : partition + 1, -2].astype(np.float64), NAMES)
        await redis.hset(f"{unique_prefix}:fleet:default:{last - 1}", str(partition), part.to_bytes())
    fleet = await RedisFleetStore(redis, unique_prefix).read("default", last - 1)
    windows = [
        WindowClosed(
            fleet="default",
            server=f"s{server}",
            profile=PROFILES[server],
            step=last,
            step_seconds=300,
            samples=1,
            metrics=dict(zip(NAMES, values[server, -1].tolist(), strict=True)),
        )
        for server in range(SERVERS)
    ]
    read = await rings.read([f"default/s{server}" for server in range(SERVERS)], last, LENGTH)
    context = TARGETS.context(read, windows, fleet)
    histories = TARGETS.values(read, windows)
    served = prepare(TARGETS.batch(histories, windows, TARGETS.limits(windows), context), SCHEMA).inputs

    store = archive(values)
    for position, metric in enumerate(TARGETS.metrics):
        grid = store.grid(metric.name)
        origins = Origins(np.arange(SERVERS), np.full(SERVERS, LENGTH - 1))
        known = grid.histories(origins.server, origins.column, LENGTH)
        what = described(metric.name, DEFAULT_CATALOGUE, Request(96, (0.5,), {}))
        trained = prepare(series(known, grid, origins, what), SCHEMA).inputs
        for name, inputs in trained.arrays().items():
            mine = served.arrays()[name][position :: len(TARGETS.metrics)]
            np.testing.assert_allclose(mine, inputs, rtol=2e-6, atol=2e-6, err_msg=f"{metric.name} {name}")


async def test_a_step_without_an_aggregate_has_unknown_fleet_features(redis: Redis, unique_prefix: str) -> None:
    sums = await RedisFleetStore(redis, unique_prefix).read("default", 1)
    assert sums.to_bytes() == FleetSums.none().to_bytes()


def test_a_context_of_a_single_step_has_no_step_before() -> None:
    window = WindowClosed(fleet="f", server="s", step=1, step_seconds=300, samples=1, metrics={"mem_used_pct": 5.0})
    context = TARGETS.context(np.zeros((1, 1, len(NAMES)), np.float32), [window], FleetSums.none())
    assert context.values[0, NAMES.index("mem_used_pct"), -1] == 5.0
    assert np.isnan(replace(context).fleet[0, 15:]).all()
