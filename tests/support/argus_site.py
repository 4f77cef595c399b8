"""A fleet's samples, ingest as a real process on the real servers, and what it left behind."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError

from aiokafka import AIOKafkaProducer, TopicPartition
from redis.asyncio import Redis

from argus_common.kafka import build_consumer, build_producer
from argus_common.kafka.provision import provision
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.redis_client import build_redis
from argus_common.settings import KafkaSettings, RedisSettings
from argus_common.topics import METRICS, WINDOWS

START_MS = 1_735_689_600_000
DEADLINE_SECONDS = 60.0


@dataclass(slots=True)
class IngestProcess:
    """One replica of ingest."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def kill(self) -> None:
        """As a crash does: nothing is finished."""
        self.process.kill()
        self.process.wait(10)

    def terminate(self) -> int:
        """Stop politely and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def ready(self) -> bool:
        """Whether ``/readyz`` says so."""
        return self.readiness() == "ok\n"

    def readiness(self) -> str:
        """What ``/readyz`` says; empty where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return str(answer.read().decode())
        except HTTPError as error:
            with error:
                return error.read().decode()
        except OSError:
            return ""

    def metric(self, name: str) -> float:
        """The value of a series on ``/metrics``, 0 where it is absent."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + " ")), 0.0)


@dataclass(slots=True)
class Site:
    """An Argus of its own on shared servers: topics with a prefix, keys with a prefix."""

    kafka: KafkaSettings
    redis: RedisSettings
    folder: Path
    running: list[IngestProcess] = field(default_factory=list)

    def start_ingest(self, **settings: str) -> IngestProcess:
        """Start a replica and wait until it is ready."""
        port, log = free_port(), self.folder / f"ingest{len(self.running)}.log"
        environment = os.environ | {
            "ARGUS_KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "ARGUS_KAFKA_TOPIC_PREFIX": self.kafka.topic_prefix,
            "ARGUS_KAFKA_SESSION_TIMEOUT": "6",
            "ARGUS_REDIS_URL": self.redis.url,
            "ARGUS_REDIS_KEY_PREFIX": self.redis.key_prefix,
            "ARGUS_OPS_PORT": str(port),
            "ARGUS_INGEST_GROUP": self.kafka.topic_prefix + "ingest",
            "ARGUS_INGEST_RING_STEPS": "288",
            "ARGUS_INGEST_IDLE_TIMEOUT": "2",
            **settings,
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "argus_ingest"], env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        replica = IngestProcess(process, port, log)
        self.running.append(replica)
        until(replica.ready, f"ingest to be ready, see {log}: {log.read_text()[-2000:]}")
        return replica

    async def produce(self, values: list[tuple[str, bytes]], partition: int | None = None) -> None:
        """Send (server, value) records, in order."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            producer = build_producer(self.kafka)
            await producer.start()
            try:
                await send_all(producer, self.kafka.topic(METRICS.name), values, partition)
            finally:
                await producer.stop()

    async def windows(self) -> list[bytes]:
        """The values on the windows topic, repeats removed, sorted."""
        return sorted({value for _, value in await self.records(WINDOWS.name)})

    async def records(self, topic: str) -> list[tuple[dict[str, bytes], bytes]]:
        """(headers, value) of everything on a topic now."""
        consumer = build_consumer(self.kafka, group=None)
        await consumer.start()
        try:
            name = self.kafka.topic(topic)
            parts = [TopicPartition(name, p) for p in range(12) if p in (await partitions_of(consumer, name))]
            consumer.assign(parts)
            await consumer.seek_to_beginning(*parts)
            ends = await consumer.end_offsets(parts)
            found = []
            while any([await consumer.position(tp) < ends[tp] for tp in parts]):
                for records in (await consumer.getmany(*parts, timeout_ms=200)).values():
                    found += [(dict(r.headers), r.value or b"") for r in records]
            return found
        finally:
            await consumer.stop()

    async def rings(self) -> dict[str, bytes]:
        """Every ring, byte for byte."""
        redis = build_redis(self.redis)
        try:
            pattern = f"{self.redis.key_prefix}:{DEFAULT_CATALOGUE.fingerprint()}:ring:*"
            keys = sorted([key async for key in redis.scan_iter(pattern)])
            return {key.decode().split(":ring:")[1]: await ring_bytes(redis, key) for key in keys}
        finally:
            await redis.aclose()


async def ring_bytes(redis: Redis, key: bytes) -> bytes:
    """One ring, byte for byte."""
    value = await redis.get(key)
    assert isinstance(value, bytes)
    return value


async def partitions_of(consumer: object, topic: str) -> set[int]:
    """The partitions of a topic, as a fresh consumer learns them."""
    consumer.subscribe([topic])  # type: ignore[attr-defined]
    for _ in range(100):
        found = consumer.partitions_for_topic(topic)  # type: ignore[attr-defined]
        if found:
            consumer.unsubscribe()  # type: ignore[attr-defined]
            return set(found)
        await asyncio.sleep(0.05)
    raise AssertionError(f"no partitions of {topic}")


async def send_all(
    producer: AIOKafkaProducer, topic: str, values: list[tuple[str, bytes]], partition: int | None = None
) -> None:
    """Send and wait for every acknowledgement."""
    futures = [await producer.send(topic, value, server.encode(), partition=partition) for server, value in values]
    await asyncio.gather(*futures)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Poll with a deadline."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.1)


def sample(server: str, seconds: float, **metrics: float) -> tuple[str, bytes]:
    """A wide record of ``server``, ``seconds`` after the start."""
    body = {"server": server, "timestamp": START_MS + round(seconds * 1000), "metrics": metrics}
    return server, json.dumps(body).encode()


def make_site(bootstrap_servers: str, redis_url: str, prefix: str, folder: Path, partitions: int = 3) -> Site:
    """Topics of its own, provisioned."""
    kafka = KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=prefix)
    asyncio.run(provision(kafka, partitions=partitions))
    return Site(kafka, RedisSettings(url=redis_url, key_prefix=prefix.strip("-")), folder)


def end(site: Site) -> None:
    """Kill what still runs."""
    for replica in site.running:
        if replica.process.poll() is None:
            replica.kill()
