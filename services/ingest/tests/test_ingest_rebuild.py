"""Rings, heads and fleet sums rebuilt from a real windows topic."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from aiokafka.admin import NewTopic
from argus_site import Site, sample, send_all, until
from ingest_outside import FakeRings, Journal
from prometheus_client import CollectorRegistry
from redis import Redis

from argus_common.clock import ManualClock
from argus_common.errors import TransientError
from argus_common.events import WindowClosed
from argus_common.events.codec import encode
from argus_common.fleet import FleetSums
from argus_common.kafka import build_admin, build_producer
from argus_common.kafka.provision import provision
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.ops import Health
from argus_common.settings import KafkaSettings
from argus_common.topics import METRICS, WINDOWS
from argus_ingest.adapters.kafka_rebuild import KafkaRebuilder
from argus_ingest.domain.encode import READ_UP_TO
from argus_ingest.metrics import IngestMetrics

pytestmark = pytest.mark.stack

NAMES = DEFAULT_CATALOGUE.names()


def window(
    server: str, step: int, cpu: float = 10.0, step_seconds: int = 300, profile: str = "generic"
) -> WindowClosed:
    metrics = {"cpu_user_pct": cpu, "of_another_catalogue": 1.0}
    return WindowClosed(
        fleet="default",
        server=server,
        profile=profile,
        step=step,
        step_seconds=step_seconds,
        samples=1,
        metrics=metrics,
    )


@dataclass
class Topic:
    """A windows topic of this test's own."""

    settings: KafkaSettings
    rings: FakeRings = field(default_factory=lambda: FakeRings(Journal()))
    metrics: IngestMetrics = field(default_factory=lambda: IngestMetrics(CollectorRegistry()))
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.health = Health(clock=self.clock)

    async def publish(self, *windows: tuple[WindowClosed, str], partition: int | None = None) -> None:
        """Each with the ``partition:offset`` up to which the metrics were read."""
        producer = build_producer(self.settings)
        await producer.start()
        for event, read_up_to in windows:
            record = encode(event, "/test")
            headers = [*record.headers, *([(READ_UP_TO, read_up_to.encode())] if read_up_to else [])]
            name = self.settings.topic(WINDOWS.name)
            await producer.send_and_wait(name, record.value, record.key, partition, headers=headers)
        await producer.stop()

    def rebuilder(self) -> KafkaRebuilder:
        return KafkaRebuilder(self.settings, self.rings, DEFAULT_CATALOGUE, 300, self.metrics, self.health)


@pytest.fixture
async def topic(bootstrap_servers: str, unique_prefix: str) -> Topic:
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=unique_prefix)
    await provision(settings, [METRICS, WINDOWS], partitions=3)
    return Topic(settings)


def rows(topic: Topic) -> set[tuple[str, int]]:
    return set(topic.rings.rows)


async def test_an_empty_topic_restores_nothing(topic: Topic) -> None:
    restored = await topic.rebuilder().rebuild([0, 1])
    assert {p: (found.position, found.heads, found.sums) for p, found in restored.items()} == {
        0: (0, {}, {}),
        1: (0, {}, {}),
    }


async def test_a_rebuild_is_alive_however_long_it_takes(topic: Topic) -> None:
    await topic.publish((window("a", 5), "0:10"))
    topic.clock.advance(1000)
    assert topic.health.live() == ["no progress for 1000 s"]
    await topic.rebuilder().rebuild([0])
    assert topic.health.live() == []


async def test_the_profile_of_the_newest_window_comes_back(topic: Topic) -> None:
    windows = [window("a", 6, profile="database"), window("a", 5, profile="web_api"), window("b", 5, profile="web_api")]
    await topic.publish(*[(one, "0:10") for one in windows], partition=1)
    restored = (await topic.rebuilder().rebuild([0]))[0]
    assert restored.profiles == {"default/a": "database", "default/b": "web_api"}


async def test_rings_heads_and_the_newest_position_come_back(topic: Topic) -> None:
    await topic.publish((window("a", 5), "0:10"), (window("a", 6), "0:20"), (window("b", 5), "0:15"))
    restored = (await topic.rebuilder().rebuild([0]))[0]
    assert restored.position == 20
    assert restored.heads == {"default/a": 6, "default/b": 5}
    assert rows(topic) == {("default/a", 5), ("default/a", 6), ("default/b", 5)}
    ring = np.frombuffer(topic.rings.rows["default/a", 5], np.float32)
    assert ring[NAMES.index("cpu_user_pct")] == 10
    assert np.isnan(ring).sum() == len(NAMES) - 1


async def test_a_window_that_was_published_twice_counts_once(topic: Topic) -> None:
    await topic.publish(*[(window("a", 5, 10.0), "0:1"), (window("b", 5, 30.0), "0:1")] * 3)
    restored = (await topic.rebuilder().rebuild([0]))[0]
    both = np.full((2, len(NAMES)), np.nan)
    both[:, NAMES.index("cpu_user_pct")] = [10, 30]
    assert restored.sums["default", 5].to_bytes() == FleetSums.of(both, NAMES).to_bytes()


async def test_windows_of_other_partitions_and_of_nobody_are_left_alone(topic: Topic) -> None:
    await topic.publish((window("a", 5), "1:9"), (window("b", 5), ""), (window("c", 5), "x:9"), (window("d", 5), "2:1"))
    restored = await topic.rebuilder().rebuild([0, 2])
    assert restored[0].heads == {}
    assert restored[2].heads == {"default/d": 5}
    assert rows(topic) == {("default/d", 5)}


async def test_windows_of_another_step_length_are_left_alone(topic: Topic) -> None:
    await topic.publish((window("a", 50, step_seconds=60), "0:9"), (window("a", 5), "0:1"))
    restored = (await topic.rebuilder().rebuild([0]))[0]
    assert restored.heads == {"default/a": 5}
    assert rows(topic) == {("default/a", 5)}


@pytest.mark.parametrize("partition", [0, 1, 2])
async def test_windows_are_found_wherever_another_partitioner_would_have_them(topic: Topic, partition: int) -> None:
    await topic.publish((window("a", 5), "0:1"), partition=partition)
    assert (await topic.rebuilder().rebuild([0]))[0].heads == {"default/a": 5}


async def test_the_two_topics_may_have_different_numbers_of_partitions(
    bootstrap_servers: str, unique_prefix: str
) -> None:
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=unique_prefix + "u-")
    await provision(settings, [METRICS], partitions=6)
    admin = build_admin(settings)
    await admin.start()
    await admin.create_topics([NewTopic(settings.topic(WINDOWS.name), 5, 1)])
    await admin.close()
    topic = Topic(settings)
    names = [f"s{i}" for i in range(20)]
    await topic.publish(*[(window(name, 5), f"{i % 6}:1") for i, name in enumerate(names)])
    restored = await topic.rebuilder().rebuild(range(6))
    assert sorted(name for found in restored.values() for name in found.heads) == sorted(f"default/{n}" for n in names)


async def test_a_broker_that_is_away_is_a_passing_trouble() -> None:
    away = Topic(KafkaSettings(bootstrap_servers="127.0.0.1:1"))
    with pytest.raises(TransientError, match="Kafka failed while rebuilding rings"):
        await away.rebuilder().rebuild([0])


def ring_keys(site: Site) -> Sequence[bytes]:
    with Redis.from_url(site.redis.url) as client:
        return sorted(client.scan_iter("*:ring:*"))


async def test_servers_that_another_client_placed_elsewhere_are_rebuilt_on_the_real_servers(site: Site) -> None:
    """Librdkafka's default partitioner puts most keys into other partitions than Java's and ours."""
    site.start_ingest(ARGUS_INGEST_IDLE_TIMEOUT="600")
    producer = build_producer(site.kafka)
    await producer.start()
    name = site.kafka.topic(METRICS.name)
    for partition in range(3):
        values = [sample(f"web{i}", s, cpu_idle_pct=1) for i in range(partition, 9, 3) for s in (0, 400)]
        await send_all(producer, name, values, partition)
    until(lambda: len(ring_keys(site)) == 9, "nine rings")
    with Redis.from_url(site.redis.url) as client:
        client.flushdb()
    until(lambda: len(ring_keys(site)) == 9, "nine rings again")
    await producer.stop()
