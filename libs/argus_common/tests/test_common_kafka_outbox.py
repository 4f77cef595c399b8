"""What is sent through an outbox is acknowledged, or its failure is told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from aiokafka import ConsumerRecord

from argus_common.errors import TransientError
from argus_common.events import Record
from argus_common.kafka import build_consumer, connect
from argus_common.kafka.dead_letters import DeadLetter
from argus_common.kafka.outbox import Outbox
from argus_common.kafka.provision import provision
from argus_common.settings import KafkaSettings
from argus_common.topics import DEAD_LETTERS, Topic
from argus_local.ports import LOOPBACK, free_ports

TOPIC = Topic("outbox", "server", 1, timedelta(hours=1), "A topic of these tests.")


@pytest.fixture
async def settings(bootstrap_servers: str, unique_prefix: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=unique_prefix)
    await provision(settings, [TOPIC, replace(DEAD_LETTERS, partitions=1)])
    return settings


async def received(settings: KafkaSettings, topic: Topic, count: int) -> "list[ConsumerRecord[bytes, bytes]]":
    consumer = build_consumer(settings, settings.topic(topic.name), group=None)
    await connect(consumer, settings)
    records: list[ConsumerRecord[bytes, bytes]] = []
    while len(records) < count:
        for batch in (await consumer.getmany(timeout_ms=20_000)).values():
            records += batch
    await consumer.stop()
    return records


async def test_what_was_sent_is_on_the_topic_with_key_headers_and_time(settings: KafkaSettings) -> None:
    outbox = Outbox(settings, "argus-test")
    await outbox.start()
    await outbox.send(TOPIC.name, [Record(b"web1", b"{}", [("ce_id", b"1")], 1_735_689_900_000)])
    await outbox.stop()
    (record,) = await received(settings, TOPIC, 1)
    assert (record.key, record.value, record.timestamp) == (b"web1", b"{}", 1_735_689_900_000)
    assert list(record.headers) == [("ce_id", b"1")]


async def test_dead_letters_go_to_their_topic(settings: KafkaSettings) -> None:
    outbox = Outbox(settings, "argus-test")
    await outbox.start()
    await outbox.bury([DeadLetter(b"argus.metrics.v1", b"{oops", [("argus_reason", b"not_json")])])
    await outbox.stop()
    (record,) = await received(settings, DEAD_LETTERS, 1)
    assert (record.key, record.value) == (b"argus.metrics.v1", b"{oops")


async def test_a_record_that_can_not_be_sent_is_told_and_its_neighbours_are_not_forgotten(
    settings: KafkaSettings,
) -> None:
    outbox = Outbox(settings, "argus-test")
    await outbox.start()
    with pytest.raises(TransientError, match=r"Kafka failed while publishing to .*outbox: .*MessageSizeTooLargeError"):
        await outbox.send(TOPIC.name, [Record(b"a", b"small", []), Record(b"a", bytes(2_000_000), [])])
    await outbox.stop()
    assert [record.value for record in await received(settings, TOPIC, 1)] == [b"small"]


async def test_connecting_may_be_tried_again_and_nothing_is_sent_before() -> None:
    outbox = Outbox(KafkaSettings(bootstrap_servers=f"{LOOPBACK}:{free_ports(1)[0]}"), "argus-test")
    for _ in range(2):
        with pytest.raises(TransientError, match="can't be reached"):
            await outbox.start()
    with pytest.raises(TransientError, match="before Kafka is connected"):
        await outbox.send(TOPIC.name, [])
    await outbox.stop()
