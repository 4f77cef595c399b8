"""Rings: a thousand servers' windows written and read."""

import asyncio
import time
from datetime import timedelta

import numpy as np

from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.redis_client import build_redis
from argus_common.ring import RingLayout, RingStore
from argus_common.settings import RedisSettings
from argus_local import Stack
from bench.report import Measurement

SERVERS, STEPS = 1000, 40


async def _measure(url: str) -> list[Measurement]:
    redis = build_redis(RedisSettings(url=url))
    width = len(DEFAULT_CATALOGUE.names())
    store = RingStore(redis, "bench:ring", RingLayout(width), timedelta(days=9))
    names = [f"default/web{i:04d}" for i in range(SERVERS)]
    values = np.random.default_rng(1).random((SERVERS, width), np.float32)
    await store.write(names, np.full(SERVERS, 999, np.int64), values)  # allocates the rings
    begin = time.perf_counter()
    for step in range(1000, 1000 + STEPS):
        await store.write(names, np.full(SERVERS, step, np.int64), values)
    rate = SERVERS * STEPS / (time.perf_counter() - begin)
    reads = {}
    for length in (288, 2016):
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            await store.read(names, 999 + STEPS, length)
            times.append(time.perf_counter() - begin)
        reads[length] = min(times) * 1000
    await redis.aclose()
    return [
        Measurement("rings, rows written", rate, "rows/s", 100_000),
        Measurement("rings, 1,000 servers read, 288 steps", reads[288], "ms", 25, higher=False, note="best of 5"),
        Measurement("rings, 1,000 servers read, 2,016 steps", reads[2016], "ms", higher=False, note="best of 5"),
    ]


def measure(stack: Stack) -> list[Measurement]:
    """Write rate and read times."""
    return asyncio.run(_measure(stack.redis_url))
