"""The whole loop with inference beside it: drift to a model that serves, and a bad promotion back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from aiokafka import AIOKafkaConsumer
from argus_site import IngestProcess, Site, until
from drift_events import drift_detected
from inference_site import event, forecasts, launch_inference, publish
from model_site import SCHEMA, TINY, promote
from redis.asyncio import Redis
from retrainer_archive import DAY_STEPS, FIRST_STEP, fill_archive, fleet
from retrainer_site import archive_of, kinds, quick, send_events, start_retrainer, told

from argus_common.clock import SystemClock
from argus_common.events import WindowClosed
from argus_common.fleet import FleetSums
from argus_common.kafka import build_consumer
from argus_common.kafka.provision import provision
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.redis_client import build_redis
from argus_common.ring import RingLayout, RingStore
from argus_common.topics import DRIFT, PREDICTIONS
from argus_forecasting.calibration import Calibration
from argus_forecasting.trained.artefact import Manifest, save
from argus_forecasting.trained.networks import build
from argus_forecasting.trained.store import ModelStore

pytestmark = pytest.mark.slow
SERVERS, DAYS, RING_STEPS = 8, 10, 2304
NAMES = DEFAULT_CATALOGUE.names()
PATIENCE_SECONDS = 600.0
"""A training takes a minute of a free core, and gives way to everything on a busy one."""
WATCHED_STEPS = 80
"""A little more than the span that a version is judged over."""
LIVE_RATIO = 0.8
"""A promotion must lower the live loss by a fifth."""


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Eleven days, of which ten are past."""
    return fleet(SERVERS, DAYS + 1)


def before(rows: pl.DataFrame, days: int) -> pl.DataFrame:
    end_ms = (FIRST_STEP + days * DAY_STEPS) * 300_000
    return rows.filter(pl.col("timestamp").dt.epoch("ms") < end_ms)


def by_step(rows: pl.DataFrame) -> Iterator[list[WindowClosed]]:
    """The windows of each step after the past."""
    late = rows.join(before(rows, DAYS), on=["server", "timestamp"], how="anti")
    for _, part in late.sort("timestamp", "server").group_by("timestamp", maintain_order=True):
        yield [
            WindowClosed(
                fleet="default",
                server=server,
                profile=profile,
                step=int(moment.timestamp()) // 300,
                step_seconds=300,
                samples=10,
                metrics={"cpu_idle_pct": idle, "cpu_used_pct": 100 - idle, "net_in_mb_s": net},
            )
            for server, moment, profile, idle, net in part.iter_rows()
        ]


def values_of(windows: list[WindowClosed]) -> np.ndarray:
    """(server, metric) NaN = missing."""
    told = [[window.metrics.get(name, np.nan) for name in NAMES] for window in windows]
    return np.array(told, np.float32)


@asynccontextmanager
async def rings_of(site: Site) -> AsyncIterator[tuple[Redis, str, RingStore]]:
    """Redis, the prefix under which ingest keeps what it knows, and the rings there."""
    redis = build_redis(site.redis)
    prefix = f"{site.redis.key_prefix}:{DEFAULT_CATALOGUE.fingerprint()}"
    try:
        yield redis, prefix, RingStore(redis, f"{prefix}:ring", RingLayout(len(NAMES), RING_STEPS))
    finally:
        await redis.aclose()


async def fill_rings(site: Site, rows: pl.DataFrame) -> None:
    """As ingest would have left them at the end of the past."""
    async with rings_of(site) as (_, _, rings):
        for (server,), part in before(rows, DAYS).sort("timestamp").group_by("server"):
            kept = part.tail(RING_STEPS)
            values = np.full((kept.height, len(NAMES)), np.nan, np.float32)
            values[:, NAMES.index("cpu_idle_pct")] = kept["cpu_idle_pct"].to_numpy()
            values[:, NAMES.index("cpu_used_pct")] = 100 - kept["cpu_idle_pct"].to_numpy()
            values[:, NAMES.index("net_in_mb_s")] = kept["net_in_mb_s"].to_numpy()
            steps = kept["timestamp"].dt.epoch("ms").to_numpy() // 300_000
            for begin in range(0, kept.height, 64):
                some = slice(begin, begin + 64)
                await rings.write([f"default/{server}"] * len(steps[some]), steps[some], values[some])


async def close_step(site: Site, windows: list[WindowClosed]) -> None:
    """As ingest does it: into the rings, into the sums of the fleet, then the windows. A forecaster that is told of
    windows whose rings stand still knows nothing of the hours between.
    """
    values, step = values_of(windows), windows[0].step
    async with rings_of(site) as (redis, prefix, rings):
        names = [f"default/{window.server}" for window in windows]
        await rings.write(names, np.full(len(names), step, np.int64), values)
        sums = FleetSums.of(values.astype(np.float64), NAMES).to_bytes()
        await redis.hset(f"{prefix}:fleet:default:{step}", "0", sums)
    await publish(site, windows)


def start_inference(site: Site) -> IngestProcess:
    replica = launch_inference(
        site,
        ARGUS_INFERENCE_MODELS=str(site.folder / "models"),
        ARGUS_INFERENCE_RING_STEPS=str(RING_STEPS),
        ARGUS_INFERENCE_HISTORY_STEPS="2112",
        ARGUS_INFERENCE_HORIZON_STEPS="24",
    )
    until(replica.ready, f"inference to be ready, see {replica.log}", PATIENCE_SECONDS)
    return replica


async def flow(site: Site, steps: Iterator[list[WindowClosed]], count: int) -> None:
    """So many steps, each once the forecasts of the one before are there."""
    consumer: AIOKafkaConsumer = build_consumer(site.kafka, site.kafka.topic(PREDICTIONS.name), group=None)
    await consumer.start()
    seen = 0
    async with asyncio.timeout(PATIENCE_SECONDS):
        ends = await consumer.end_offsets(list(consumer.assignment()))
        for part, end in ends.items():
            consumer.seek(part, end)
        for number in range(1, count + 1):
            await close_step(site, next(steps))
            while seen < number * SERVERS:
                seen += sum(len(records) for records in (await consumer.getmany(timeout_ms=100)).values())
    await consumer.stop()


def detect_drift(site: Site) -> None:
    """As the drift service tells it."""
    asyncio.run(provision(site.kafka, [DRIFT]))
    asyncio.run(send_events(site, DRIFT.name, drift_detected("drift/1", scope="fleet")))


def live_ratio(site: Site, version: str) -> float:
    """Loss of a version over that of the statistical forecaster, which served before: the same servers and steps, both
    before any correction, as the topic tells it.
    """
    issued = [event(value) for values in forecasts(site).values() for value in values]
    scores = [one for forecast in issued if forecast.model.version == version for one in forecast.scores]
    pairs = [(s.model_pinball, s.statistical_pinball) for s in scores if s.model_pinball and s.statistical_pinball]
    ours, theirs = np.array(pairs).sum(axis=0)
    return float(ours / theirs)


def serves(replica: IngestProcess, version: str) -> bool:
    return f'version="{version}"' in page(replica)


def page(replica: IngestProcess) -> str:
    from urllib.request import urlopen  # noqa: PLC0415

    with urlopen(f"http://127.0.0.1:{replica.port}/metrics", timeout=5) as answer:
        lines: list[str] = answer.read().decode().splitlines()
    return "\n".join(line for line in lines if line.startswith("argus_model_info") and line.endswith(" 1.0"))


@pytest.mark.timeout(1500)
def test_drift_leads_to_a_model_that_serves_and_is_watched(site: Site, rows: pl.DataFrame) -> None:
    fill_archive(archive_of(site), before(rows, DAYS))
    asyncio.run(fill_rings(site, rows))
    detect_drift(site)
    inference = start_inference(site)
    retrainer = start_retrainer(site, **quick(site, ARGUS_RETRAINER_STEPS="300", ARGUS_RETRAINER_NICENESS="0"))
    until(lambda: kinds(site) == ["training.started", "model.promoted"], "a promotion", PATIENCE_SECONDS)
    (_, started), (_, promoted) = told(site)
    assert "drift/1" in [cause["id"] for cause in started["causes"]]
    until(lambda: serves(inference, promoted["version"]), "inference to serve it", PATIENCE_SECONDS)
    asyncio.run(flow(site, by_step(rows), WATCHED_STEPS))
    until(lambda: retrainer.metric("argus_retrainer_live_loss_ratio") > 0, "the live loss to be known")
    assert live_ratio(site, promoted["version"]) < LIVE_RATIO
    assert kinds(site) == ["training.started", "model.promoted"]
    assert (inference.terminate(), retrainer.terminate()) == (0, 0)


def add_bad_version(store: ModelStore) -> Path:
    """Chance weights, larger than any that training leaves."""
    manifest = Manifest("fleet", "1", "2026-01-01T00:00:00Z", SCHEMA, TINY, Calibration())
    network = build(TINY, SCHEMA)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return save(store.folder, manifest, network, "# bad")


@pytest.mark.timeout(1500)
def test_a_version_that_was_promoted_by_hand_and_is_bad_is_rolled_back(site: Site, rows: pl.DataFrame) -> None:
    store = ModelStore(site.folder / "models")
    add_bad_version(store)
    asyncio.run(fill_rings(site, rows))
    asyncio.run(promote(site, store, "1", at_ms=SystemClock().now_ms()))
    inference = start_inference(site)
    assert serves(inference, "1")
    asyncio.run(flow(site, by_step(rows), WATCHED_STEPS))
    retrainer = start_retrainer(site, **quick(site))
    until(lambda: "model.rolled_back" in kinds(site), "the rollback", PATIENCE_SECONDS)
    ((_, back),) = [event for event in told(site) if event[0] == "model.rolled_back"]
    assert (back["version"], back["withdrawn_version"], back["by"]) == (None, "1", "retrainer")
    until(lambda: not serves(inference, "1"), "inference to serve the statistical forecaster")
    assert (inference.terminate(), retrainer.terminate()) == (0, 0)
