"""Topics on a real broker."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaTimeoutError

from argus_common.errors import ConfigurationError, TransientError
from argus_common.events import Event
from argus_common.kafka import build_admin
from argus_common.kafka import provision as module
from argus_common.kafka.provision import provision
from argus_common.settings import KafkaSettings
from argus_common.topics import DEAD_LETTERS, METRICS, MODELS, TOPICS, WINDOWS, Topic

SMALL = Topic("small", "server", 2, timedelta(hours=1), "A topic of these tests.")


@pytest.fixture
def settings(bootstrap_servers: str, unique_prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=unique_prefix)


DEADLINE_SECONDS = 30


async def described(settings: KafkaSettings, count: int) -> dict[str, int]:
    """Partitions of each of our topics, as soon as the broker tells of ``count`` (it takes a moment)."""
    admin = build_admin(settings)
    await admin.start()
    ours: dict[str, int] = {}
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(ours) < count:
            topics = await admin.describe_topics()
            ours = {t["topic"]: len(t["partitions"]) for t in topics if t["topic"].startswith(settings.topic_prefix)}
    await admin.close()
    return ours


async def configuration(settings: KafkaSettings, name: str) -> dict[str, str]:
    admin = build_admin(settings)
    await admin.start()
    entries: list[tuple[Any, ...]] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not entries:
            (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
            entries = answer.resources[0][4]
    await admin.close()
    return {entry[0]: entry[1] for entry in entries}


@pytest.mark.stack
async def test_provisioning_creates_the_catalogue_once(settings: KafkaSettings) -> None:
    prefix = settings.topic_prefix
    created = await provision(settings)
    assert sorted(created) == sorted(prefix + topic.name for topic in TOPICS)
    assert await provision(settings) == []
    assert await described(settings, len(TOPICS)) == {prefix + topic.name: topic.partitions for topic in TOPICS}


@pytest.mark.stack
async def test_a_topic_keeps_its_records_for_as_long_as_the_catalogue_says(settings: KafkaSettings) -> None:
    (name,) = await provision(settings, [SMALL])
    found = await configuration(settings, name)
    assert found["retention.ms"] == "3600000"
    assert found["segment.ms"] == "600000"
    assert found["cleanup.policy"] == "delete"


@pytest.mark.stack
async def test_of_a_compacted_topic_the_newest_record_of_a_key_stays_for_ever(settings: KafkaSettings) -> None:
    (name,) = await provision(settings, [MODELS])
    found = await configuration(settings, name)
    assert (found["cleanup.policy"], found["retention.ms"]) == ("compact", "-1")
    assert found["min.compaction.lag.ms"] == str(90 * 86_400_000)


@pytest.mark.stack
async def test_what_is_missing_is_created_and_what_is_there_is_left_alone(settings: KafkaSettings) -> None:
    prefix = settings.topic_prefix
    await provision(settings, [SMALL])
    grown, other = replace(SMALL, partitions=5), replace(SMALL, name="other")
    assert await provision(settings, [grown, other]) == [f"{prefix}other"]
    assert await described(settings, 2) == {f"{prefix}small": 2, f"{prefix}other": 2}


@pytest.mark.stack
async def test_a_small_installation_caps_the_partitions(settings: KafkaSettings) -> None:
    await provision(settings, [SMALL, replace(SMALL, name="one", partitions=1)], partitions=2)
    await provision(settings, [replace(SMALL, name="large", partitions=12)], partitions=3)
    prefix = settings.topic_prefix
    assert await described(settings, 3) == {f"{prefix}small": 2, f"{prefix}one": 1, f"{prefix}large": 3}


@pytest.mark.stack
@pytest.mark.parametrize(
    ("topic", "replication", "expected"),
    [
        (SMALL, 3, r"small: .*replication factor"),
        (replace(SMALL, name="no spaces"), 1, r"no spaces: Topic name is invalid"),
    ],
)
async def test_a_topic_that_the_broker_refuses_is_told_with_its_reason(
    settings: KafkaSettings, topic: Topic, replication: int, expected: str
) -> None:
    asked = settings.model_copy(update={"replication_factor": replication})
    with pytest.raises(ConfigurationError) as caught:
        await provision(asked, [topic])
    assert str(caught.value).startswith("topics refused by the broker: ")
    assert re.search(expected, str(caught.value), re.IGNORECASE)


async def test_a_broker_that_is_lost_in_between_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    class Admin:
        closed = False

        async def start(self) -> None: ...

        async def describe_cluster(self) -> None:
            raise KafkaTimeoutError("no answer")

        async def close(self) -> None:
            self.closed = True

    admin = Admin()
    monkeypatch.setattr(module, "build_admin", lambda _: admin)
    with pytest.raises(TransientError, match=r"^Kafka at a:1: KafkaTimeoutError: no answer$"):
        await provision(KafkaSettings(bootstrap_servers="a:1"), [SMALL])
    assert admin.closed


NOT_CONTROLLER, NOT_ALLOWED = 41, 29


def test_a_refusal_that_may_pass_is_an_outage_and_one_that_lasts_is_not() -> None:
    module._raise_refusals([("a", 0, None), ("b", 36, "exists")])
    with pytest.raises(TransientError, match="b: not now"):
        module._raise_refusals([("a", 0, None), ("b", NOT_CONTROLLER, "not now")])
    with pytest.raises(ConfigurationError, match="a: not now; b: "):
        module._raise_refusals([("a", NOT_CONTROLLER, "not now"), ("b", NOT_ALLOWED, None)])


def test_the_catalogue_is_the_one_of_the_architecture() -> None:
    stated = {topic.name: (topic.key, topic.partitions, topic.retention) for topic in TOPICS}
    assert stated["argus.metrics.v1"] == ("server", 12, timedelta(hours=24))
    assert stated["argus.windows.v1"] == ("server", 12, timedelta(hours=48))
    assert stated["argus.predictions.v1"] == ("fleet", 12, timedelta(hours=24))
    assert stated["argus.commands.v1"] == ("target service", 1, timedelta(days=7))
    assert stated["argus.dlq.v1"] == ("source topic", 3, timedelta(days=7))
    assert len(stated) == len(TOPICS)


def test_each_event_type_has_exactly_one_topic() -> None:
    kinds: list[type[Event]] = [kind for topic in TOPICS for kind in topic.events]
    assert len({kind.type for kind in kinds}) == len(kinds)
    assert not METRICS.events
    assert not DEAD_LETTERS.events
    assert [kind.type for kind in WINDOWS.events] == ["io.argus.window.closed.v1"]


def test_every_topic_name_has_its_version() -> None:
    assert all(re.fullmatch(r"argus\.[a-z]+\.v[0-9]+", topic.name) for topic in TOPICS)
