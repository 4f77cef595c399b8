"""Inference as a real process on a site: windows and rings in, forecasts out."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence

import numpy as np
from argus_site import IngestProcess, Site, free_port, send_all, until

from argus_common.events import ForecastIssued, WindowClosed, decode, encode
from argus_common.kafka import build_producer
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.redis_client import build_redis
from argus_common.ring import RingLayout, RingStore
from argus_common.topics import PREDICTIONS, WINDOWS
from argus_forecasting.statistical import AnalogForecaster

STEP = 5_785_632
STEP_SECONDS = 300
RING_STEPS = 288
TARGETS = tuple(metric.name for metric in DEFAULT_CATALOGUE.targets())

Windows = Sequence[WindowClosed]


def environment(site: Site, **settings: str) -> dict[str, str]:
    """What a replica on this site is told."""
    return os.environ | {
        "ARGUS_KAFKA_BOOTSTRAP_SERVERS": site.kafka.bootstrap_servers,
        "ARGUS_KAFKA_TOPIC_PREFIX": site.kafka.topic_prefix,
        "ARGUS_KAFKA_SESSION_TIMEOUT": "6",
        "ARGUS_REDIS_URL": site.redis.url,
        "ARGUS_REDIS_KEY_PREFIX": site.redis.key_prefix,
        "ARGUS_OPS_PORT": str(free_port()),
        "ARGUS_INFERENCE_GROUP": site.kafka.topic_prefix + "inference",
        "ARGUS_INFERENCE_RING_STEPS": str(RING_STEPS),
        "ARGUS_INFERENCE_HISTORY_STEPS": "240",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **settings,
    }


def start_inference(site: Site, **settings: str) -> IngestProcess:
    """Start a replica and wait until it is ready."""
    replica = launch_inference(site, **settings)
    until(replica.ready, f"inference to be ready, see {replica.log}")
    return replica


def launch_inference(site: Site, **settings: str) -> IngestProcess:
    """Start a replica."""
    told = environment(site, **settings)
    log = site.folder / f"inference{len(site.running)}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "argus_inference"], env=told, stdout=output, stderr=subprocess.STDOUT
        )
    replica = IngestProcess(process, int(told["ARGUS_OPS_PORT"]), log)
    site.running.append(replica)
    return replica


def windows(servers: Iterable[str], step: int = STEP, level: float = 40.0) -> list[WindowClosed]:
    """One window per server, with this level in every target."""
    return [
        WindowClosed(
            fleet="default",
            server=server,
            step=step,
            step_seconds=STEP_SECONDS,
            samples=10,
            metrics=dict.fromkeys(TARGETS, level),
        )
        for server in servers
    ]


async def fill_rings(site: Site, servers: Sequence[str], last_step: int = STEP) -> None:
    """Twenty hours of a slow wave, as ingest would have left them."""
    redis, names = build_redis(site.redis), [f"default/{server}" for server in servers]
    width = len(DEFAULT_CATALOGUE.names())
    prefix = f"{site.redis.key_prefix}:{DEFAULT_CATALOGUE.fingerprint()}:ring"
    rings = RingStore(redis, prefix, RingLayout(width, RING_STEPS))
    try:
        for step in range(last_step - 239, last_step + 1):
            row = np.full((len(names), width), 40 + 10 * np.sin(step / 20), np.float32)
            await rings.write(names, np.full(len(names), step, np.int64), row)
    finally:
        await redis.aclose()


async def publish(site: Site, closed: Windows, *raw: tuple[str, bytes], partition: int | None = None) -> None:
    """Send windows as ingest does, then raw (key, value) records."""
    producer = build_producer(site.kafka)
    await producer.start()
    try:
        values = [(window.server, encode(window, "/argus/ingest").value) for window in closed]
        await send_all(producer, site.kafka.topic(WINDOWS.name), [*values, *raw], partition)
    finally:
        await producer.stop()


def forecasts(site: Site) -> dict[str, set[bytes]]:
    """Everything on the predictions topic: id → the values told under it."""
    found: dict[str, set[bytes]] = {}
    for headers, value in asyncio.run(site.records(PREDICTIONS.name)):
        found.setdefault(headers["ce_id"].decode(), set()).add(value)
    return found


def forecast_id(server: str, step: int = STEP) -> str:
    """The id of a forecast by the statistical forecaster."""
    return f"default/{server}/{STEP_SECONDS}/{step}/{AnalogForecaster.name}@{AnalogForecaster.version}"


def wait_for_forecasts(site: Site, ids: Iterable[str]) -> dict[str, set[bytes]]:
    """All forecasts, once these are among them."""
    wanted, found = set(ids), dict[str, set[bytes]]()

    def there() -> bool:
        found.update(forecasts(site))
        return wanted <= found.keys()

    logs = [str(replica.log) for replica in site.running]
    until(there, f"{len(wanted)} forecasts, see {logs}", seconds=90)
    return found


class _Bytes:
    def __init__(self, value: bytes) -> None:
        self.value, self.headers = value, ()


def event(value: bytes) -> ForecastIssued:
    """The event in a value."""
    return decode(ForecastIssued, _Bytes(value))
