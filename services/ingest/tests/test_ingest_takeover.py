"""A replica that is slow to write what it closed, while its partitions go to another, must not undo its work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from aiokafka.partitioner import DefaultPartitioner
from argus_site import Site, sample
from prometheus_client import CollectorRegistry

from argus_common.clock import SystemClock
from argus_common.kafka import build_consumer
from argus_common.kafka.dead_letters import FloodGuard
from argus_common.kafka.outbox import Outbox
from argus_common.kafka.source import KafkaSource
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.ops import Health
from argus_common.redis_client import build_redis
from argus_common.ring import RingLayout, RingStore
from argus_common.topics import METRICS
from argus_ingest.adapters.kafka_publisher import KafkaPublisher
from argus_ingest.adapters.kafka_rebuild import KafkaRebuilder
from argus_ingest.adapters.redis_store import RedisPartitionStore
from argus_ingest.domain.decode import Decoder
from argus_ingest.domain.mapping import Mapping as MetricMapping
from argus_ingest.domain.servers import ServerTable
from argus_ingest.domain.snapshot import Change
from argus_ingest.domain.steps import StepClock
from argus_ingest.loop import Loop
from argus_ingest.metrics import IngestMetrics
from argus_ingest.pipeline import Outside, Pipeline

FIRST_STEP = 1_735_689_600 // 300
PREFIX = "fence"
DEADLINE_SECONDS = 60.0


class SlowStore(RedisPartitionStore):
    """Saves once its gate is open; says that it waits."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.gate, self.waits = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def save(self, changes: Mapping[int, Change]) -> None:
        self.waits.set()
        await self.gate.wait()
        await super().save(changes)


@dataclass
class Replica:
    """Ingest within this process, its store slowed down at will."""

    site: Site
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Join the group."""
        kafka, clock, health = self.site.kafka, SystemClock(), Health("kafka", "redis")
        self.redis, self.outbox = build_redis(self.site.redis), Outbox(kafka, "argus-test")
        await self.outbox.start()
        layout = RingLayout(len(DEFAULT_CATALOGUE.names()), 288)
        rings = RingStore(self.redis, f"{PREFIX}:ring", layout, timedelta(days=1))
        self.store = SlowStore(self.redis, PREFIX, "metrics", 300)
        metrics, servers = IngestMetrics(CollectorRegistry()), ServerTable()
        rebuilder = KafkaRebuilder(kafka, rings, DEFAULT_CATALOGUE, 300, metrics, health)
        outside = Outside(rings, self.store, KafkaPublisher(self.outbox), rebuilder, clock, health)
        self.pipeline = Pipeline(
            DEFAULT_CATALOGUE, Decoder(DEFAULT_CATALOGUE, MetricMapping(), servers, 300_000), servers,
            StepClock(300_000, 60_000), outside, metrics, FloodGuard(), 288, 2304,
        )  # fmt: skip
        self.source = KafkaSource(build_consumer(kafka, group=kafka.topic_prefix), kafka.topic(METRICS.name))
        await self.source.start()
        self.running = asyncio.create_task(
            Loop(self.source, self.pipeline, clock, health, metrics, 3600.0).run(self.stop)
        )

    async def end(self) -> None:
        """Stop politely."""
        self.store.gate.set()
        self.stop.set()
        await self.running
        await self.source.stop()
        await self.outbox.stop()
        await self.redis.aclose()


NewReplica = Callable[[], Awaitable[Replica]]


@pytest.fixture
async def new_replica(site: Site) -> AsyncIterator[NewReplica]:
    replicas: list[Replica] = []

    async def make() -> Replica:
        replica = Replica(site)
        await replica.start()
        replicas.append(replica)
        return replica

    yield make
    for replica in replicas:
        await replica.end()


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Poll with a deadline."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not await condition():  # noqa: ASYNC110 - the broker and the store tell nobody
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"waited {DEADLINE_SECONDS} s for {what}") from None


def server_in(partition: int) -> str:
    """A server whose records go there."""
    names = (f"web{number}" for number in range(100))
    return next(name for name in names if DefaultPartitioner()(name.encode(), [0, 1, 2], [0, 1, 2]) == partition)


async def heads(store: RedisPartitionStore, partition: int, looker: Replica) -> dict[bytes, bytes]:
    """What is saved of the last closed steps, without taking the partition over."""
    return await looker.redis.hgetall(store._key(partition, "heads"))  # type: ignore[return-value]


async def test_what_a_replica_saves_after_its_partition_went_to_another_changes_nothing(
    site: Site, new_replica: NewReplica
) -> None:
    first = await new_replica()
    await site.produce([sample(server_in(p), 0, cpu_idle_pct=50) for p in range(3)])
    await until(lambda: _owns(first, {0, 1, 2}), "the first replica to hold all partitions")
    first.store.waits.clear()
    first.store.gate.clear()
    await site.produce([sample(server_in(p), 400, cpu_idle_pct=60) for p in range(3)])
    await first.store.waits.wait()

    second = await new_replica()
    await until(lambda: _assigned(second), "the second replica to get a partition")
    taken = second.source.assigned()[0]
    server = server_in(taken)
    await site.produce([sample(server, 800, cpu_idle_pct=70)])
    newest = {b"default/%s" % server.encode(): b"%d" % (FIRST_STEP + 1)}
    await until(lambda: _holds(second, taken, newest), "the second replica to save")

    first.store.gate.set()
    kept = next(p for p in range(3) if p != taken)
    await site.produce([sample(server_in(kept), 1200, cpu_idle_pct=80)])
    later = {b"default/%s" % server_in(kept).encode(): b"%d" % (FIRST_STEP + 2)}
    await until(lambda: _holds(first, kept, later), "the first replica to go on with what it holds")
    assert await heads(second.store, taken, second) == newest


async def _owns(replica: Replica, partitions: set[int]) -> bool:
    return set(replica.pipeline.owned) == partitions


async def _assigned(replica: Replica) -> bool:
    return bool(replica.source.assigned())


async def _holds(replica: Replica, partition: int, wanted: dict[bytes, bytes]) -> bool:
    return await heads(replica.store, partition, replica) == wanted
