"""Sample to forecast: a thousand servers close a step together; when is each forecast on the topic?"""

import asyncio
import time

import msgspec
import numpy as np

from argus_common.kafka import build_consumer, build_producer
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.redis_client import build_redis
from argus_common.ring import RingLayout, RingStore
from argus_common.settings import KafkaSettings, RedisSettings
from argus_common.topics import METRICS, PREDICTIONS
from argus_local import Stack
from bench.report import Measurement
from bench.samples import NAMES, START_MS
from bench.site import fill, service, settings

SERVERS, STEP_MS, HISTORY = 1000, 300_000, 2200
ROUNDS = 3
PREFIX = "latency-"


async def _history(stack: Stack) -> None:
    """A week of windows of every server, written to the rings directly."""
    redis = build_redis(RedisSettings(url=stack.redis_url))
    width = len(DEFAULT_CATALOGUE.names())
    prefix = f"{PREFIX.strip('-')}:{DEFAULT_CATALOGUE.fingerprint()}:ring"
    store, rng = RingStore(redis, prefix, RingLayout(width)), np.random.default_rng(3)
    names = [f"default/ppweb{i:05d}" for i in range(SERVERS)]
    last = START_MS // STEP_MS - 1
    level = rng.uniform(20, 70, (SERVERS, width))
    for step in range(last - HISTORY, last + 1):
        level = np.clip(level + rng.normal(0, 1, level.shape), 0, 100)
        await store.write(names, np.full(SERVERS, step, np.int64), level.astype(np.float32))
    await redis.aclose()


async def _send(kafka: KafkaSettings, at_ms: int) -> float:
    """One sample of every server at the same event time; the moment when the last one was acknowledged."""
    producer, encode = build_producer(kafka), msgspec.json.Encoder().encode
    await producer.start()
    values = dict.fromkeys(NAMES, 25.0)
    futures = []
    for i in range(SERVERS):
        name = f"ppweb{i:05d}"
        body = encode({"server": name, "timestamp": at_ms, "metrics": values})
        futures.append(await producer.send(kafka.topic(METRICS.name), body, name.encode()))
    begin = time.monotonic()
    await asyncio.gather(*futures)
    await producer.stop()
    return begin


async def _rounds(stack: Stack) -> list[float]:
    """Seconds from sending the closing samples to each forecast being readable on the topic, over all rounds."""
    kafka = settings(stack, PREFIX)
    consumer = build_consumer(kafka, kafka.topic(PREDICTIONS.name), group=None)
    await consumer.start()
    delays: list[float] = []
    for number in range(ROUNDS):
        await _send(kafka, START_MS + number * STEP_MS + 1000)
        await asyncio.sleep(3)
        closing = START_MS + (number + 1) * STEP_MS + 61_000
        begin, seen = await _send(kafka, closing), 0
        while seen < SERVERS and time.monotonic() < begin + 60:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                seen += len(records)
                delays += [time.monotonic() - begin] * len(records)
        if seen < SERVERS:
            raise SystemExit(f"{seen} of {SERVERS} forecasts after a minute")
    await consumer.stop()
    return delays


def measure(stack: Stack) -> list[Measurement]:
    """Median and 99th percentile."""
    asyncio.run(fill(settings(stack, PREFIX), iter(())))
    asyncio.run(_history(stack))
    with (
        service("argus_ingest", stack, PREFIX, ARGUS_INGEST_IDLE_TIMEOUT="3600"),
        service("argus_inference", stack, PREFIX),
    ):
        delays = asyncio.run(_rounds(stack))
    note = f"{SERVERS} servers closing together, {ROUNDS} rounds, 7 days of history"
    return [
        Measurement("sample to forecast, median", float(np.median(delays)), "s", higher=False, note=note),
        Measurement("sample to forecast, p99", float(np.quantile(delays, 0.99)), "s", 5, 2, higher=False, note=note),
    ]
