"""The clients as they are built, and what that means on a real broker."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.structs import OffsetAndMetadata

from argus_common.errors import ConfigurationError, TransientError
from argus_common.kafka import build_broker, build_consumer, build_producer, connect
from argus_common.kafka.provision import provision
from argus_common.settings import KafkaSettings
from argus_common.tls import tls_context
from argus_common.topics import Topic
from argus_local.ports import LOOPBACK, free_ports

Make = Callable[..., Awaitable[Any]]


@pytest.fixture
def settings(bootstrap_servers: str, unique_prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=unique_prefix)


@pytest.fixture
async def topic(settings: KafkaSettings) -> str:
    (name,) = await provision(settings, [Topic("clients", "server", 2, timedelta(hours=1), "A topic of these tests.")])
    return name


async def producer_of(settings: KafkaSettings) -> AIOKafkaProducer:
    producer = build_producer(settings)
    await connect(producer, settings)
    return producer


async def read_all(consumer: AIOKafkaConsumer, count: int) -> list[bytes]:
    values: list[bytes] = []
    while len(values) < count:
        for records in (await consumer.getmany(timeout_ms=20_000)).values():
            values += [record.value for record in records]
    return values


async def test_every_producer_is_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr("argus_common.kafka.clients.AIOKafkaProducer", lambda **options: asked.update(options))
    build_producer(KafkaSettings(bootstrap_servers="a:1", request_timeout=timedelta(seconds=7)), "argus-ingest")
    assert asked == {
        "bootstrap_servers": "a:1",
        "request_timeout_ms": 7000,
        "security_protocol": "PLAINTEXT",
        "ssl_context": None,
        "client_id": "argus-ingest",
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": "zstd",
        "linger_ms": 20,
        "max_batch_size": 262_144,
        "max_request_size": 1_048_576,
    }


async def test_no_consumer_commits_by_itself_or_skips_what_came_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    topics: list[str] = []

    def remember(*names: str, **options: Any) -> None:  # noqa: ANN401
        topics.extend(names)
        asked.update(options)

    monkeypatch.setattr("argus_common.kafka.clients.AIOKafkaConsumer", remember)
    build_consumer(KafkaSettings(session_timeout=timedelta(seconds=10)), "x", "y", group="g")
    assert topics == ["x", "y"]
    assert asked["group_id"] == "g"
    assert asked["enable_auto_commit"] is False
    assert asked["auto_offset_reset"] == "earliest"
    assert asked["session_timeout_ms"] == 10_000
    assert asked["rebalance_timeout_ms"] == 20_000
    assert asked["heartbeat_interval_ms"] == 1000


async def test_a_faststream_broker_has_the_same_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def remember(servers: list[str], **options: Any) -> None:  # noqa: ANN401
        asked.update(options, servers=servers)

    monkeypatch.setattr("faststream.kafka.KafkaBroker", remember)
    build_broker(KafkaSettings(bootstrap_servers="a:1,b:2"), "argus-x")
    assert asked["servers"] == ["a:1", "b:2"]
    assert (asked["acks"], asked["enable_idempotence"], asked["compression_type"]) == ("all", True, "zstd")
    assert asked["allow_auto_create_topics"] is False
    assert asked["security"] is None


@pytest.mark.stack
async def test_what_one_client_sends_another_reads_in_order_with_key_and_headers(
    settings: KafkaSettings, topic: str
) -> None:
    producer = await producer_of(settings)
    for number in range(100):
        await producer.send(topic, str(number).encode(), key=b"web1", headers=[("ce_id", b"x")])
    await producer.stop()
    consumer = build_consumer(settings, topic, group=None)
    await connect(consumer, settings)
    assert await read_all(consumer, 100) == [str(number).encode() for number in range(100)]
    await consumer.stop()


@pytest.mark.stack
async def test_nothing_is_committed_until_it_is_said(settings: KafkaSettings, topic: str) -> None:
    producer = await producer_of(settings)
    await producer.send_and_wait(topic, b"a", partition=0)
    await producer.send_and_wait(topic, b"b", partition=0)
    await producer.stop()
    group = f"{settings.topic_prefix}group"
    seen = []
    for commit in (None, 1, None):
        consumer = build_consumer(settings, topic, group=group)
        await connect(consumer, settings)
        seen.append(await read_all(consumer, 1))
        if commit is not None:
            await consumer.commit({TopicPartition(topic, 0): OffsetAndMetadata(commit, "")})
        await consumer.stop()
    assert seen == [[b"a", b"b"], [b"a", b"b"], [b"b"]]


@pytest.mark.stack
async def test_a_record_that_is_too_large_is_refused_at_the_producer(settings: KafkaSettings, topic: str) -> None:
    producer = await producer_of(settings)
    with pytest.raises(MessageSizeTooLargeError):
        await producer.send(topic, bytes(2_000_000))
    await producer.stop()


async def test_a_broker_that_is_not_there_is_an_outage_told_in_one_line() -> None:
    settings = KafkaSettings(bootstrap_servers=f"{LOOPBACK}:{free_ports(1)[0]}")
    with pytest.raises(TransientError) as caught:
        await connect(build_producer(settings), settings)
    said = str(caught.value)
    assert said.startswith(f"Kafka at {settings.bootstrap_servers} can't be reached: ")
    assert "Connect call failed" in said
    with pytest.raises(TransientError) as caught:
        await provision(settings)
    assert str(caught.value) == said


async def test_a_host_name_that_does_not_exist_is_told() -> None:
    settings = KafkaSettings(bootstrap_servers="no-such-host.invalid:9092")
    with pytest.raises(TransientError, match=r"no-such-host\.invalid:9092 can't be reached: .*not known|resolution"):
        await connect(build_consumer(settings, "x", group=None), settings)


async def test_a_client_that_failed_is_stopped_and_another_bug_is_not_hidden() -> None:
    class Broken:
        stopped = False

        async def start(self) -> None:
            raise ZeroDivisionError("a bug")

        async def stop(self) -> None:
            self.stopped = True

    with pytest.raises(ZeroDivisionError):
        await connect(Broken(), KafkaSettings())


def test_a_plain_connection_has_no_tls_context() -> None:
    assert tls_context(KafkaSettings()) is None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"ca_file": "missing.pem"}, r"^ARGUS_KAFKA_CA_FILE: .*missing\.pem: No such file or directory$"),
        ({"ca_file": "text.pem"}, r"^ARGUS_KAFKA_CA_FILE: .*text\.pem: not a PEM file of that kind"),
        (
            {"cert_file": "missing.pem"},
            r"^ARGUS_KAFKA_CERT_FILE, ARGUS_KAFKA_KEY_FILE: .*missing\.pem, without a key file: No such file",
        ),
        (
            {"cert_file": "text.pem", "key_file": "text.pem"},
            r"^ARGUS_KAFKA_CERT_FILE, ARGUS_KAFKA_KEY_FILE: .*text\.pem, .*text\.pem: not a PEM file of that kind",
        ),
    ],
)
def test_a_wrong_certificate_file_is_told_by_its_variable(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    (tmp_path / "text.pem").write_text("hello")
    paths = {name: tmp_path / file for name, file in files.items()}
    settings = KafkaSettings.model_validate({"tls": True, **paths})
    with pytest.raises(ConfigurationError, match=expected):
        tls_context(settings)
