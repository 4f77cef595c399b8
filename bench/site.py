"""An embedded stack and service processes whose CPU and memory are read from their own ``/metrics``."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from argus_common.kafka import build_consumer, build_producer
from argus_common.kafka.provision import provision
from argus_common.settings import KafkaSettings
from argus_common.topics import METRICS
from argus_local import Stack
from bench.samples import Records

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
POLL_SECONDS = 0.5
READY_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    process: subprocess.Popen[bytes]
    port: int

    def series(self) -> dict[str, float]:
        """Every series of ``/metrics``."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def wait_for(self, name: str, value: float, seconds: float = 300.0) -> dict[str, float]:
        """The series as they are when ``name`` has reached ``value``."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            found = self.series()
            if found.get(name, 0.0) >= value:
                return found
            time.sleep(POLL_SECONDS)
        raise SystemExit(f"{name} did not reach {value} within {seconds} s")


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def service(
    module: str, stack: Stack, prefix: str, *, python: str = sys.executable, **settings: str
) -> Iterator[Service]:
    """Run ``python -m module`` until the block ends."""
    port = free_port()
    environment = (
        os.environ
        | ONE_THREAD
        | {
            "ARGUS_KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers,
            "ARGUS_KAFKA_TOPIC_PREFIX": prefix,
            "ARGUS_REDIS_URL": stack.redis_url,
            "ARGUS_REDIS_KEY_PREFIX": prefix.strip("-"),
            "ARGUS_OPS_PORT": str(port),
            "ARGUS_OPS_LOG_LEVEL": "WARNING",
            **settings,
        }
    )
    process = subprocess.Popen([python, "-m", module], env=environment)
    running = Service(process, port)
    try:
        _wait_ready(running)
        yield running
    finally:
        process.terminate()
        process.wait(30)


def _wait_ready(running: Service, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and running.process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(READY_POLL_SECONDS)
    raise SystemExit("the service did not become ready")


def settings(stack: Stack, prefix: str) -> KafkaSettings:
    """How clients of this bench reach Kafka."""
    return KafkaSettings(bootstrap_servers=stack.bootstrap_servers, topic_prefix=prefix)


async def fill(kafka: KafkaSettings, records: Records, partitions: int = 12) -> int:
    """Provision, send all records to the metrics topic, return how many."""
    await provision(kafka, partitions=partitions)
    producer = build_producer(kafka)
    await producer.start()
    try:
        topic, futures, count = kafka.topic(METRICS.name), [], 0
        for key, value in records:
            futures.append(await producer.send(topic, value, key))
            count += 1
            if len(futures) >= 20_000:
                await asyncio.gather(*futures)
                futures = []
        await asyncio.gather(*futures)
        return count
    finally:
        await producer.stop()


async def raw_rate(kafka: KafkaSettings, count: int) -> float:
    """Records per CPU second of a bare aiokafka ``getmany`` loop over the metrics topic: the yardstick."""
    consumer = build_consumer(kafka, kafka.topic(METRICS.name), group=None)
    await consumer.start()
    try:
        begin, seen = time.process_time(), 0
        while seen < count:
            batches = await consumer.getmany(timeout_ms=200)
            seen += sum(len(records) for records in batches.values())
        return count / (time.process_time() - begin)
    finally:
        await consumer.stop()
