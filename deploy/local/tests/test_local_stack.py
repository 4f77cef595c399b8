"""The embedded stack does a broker's and a store's work, keeps data and leaves nothing behind."""

from pathlib import Path

import pytest
import redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import TopicPartition

from argus_common.errors import ConfigurationError, TransientError
from argus_local import Ports, Stack
from argus_local.ports import answers, free_ports


async def create(address: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        response = await admin.create_topics([NewTopic(topic, 2, 1)])
    finally:
        await admin.close()
    assert [code for _, code, _ in response.topic_errors] == [0]


async def send(address: str, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address, enable_idempotence=True) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)


async def receive(address: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    async with consumer:
        consumer.assign([TopicPartition(topic, 0)])
        return [(await consumer.getone()).value for _ in range(count)]


async def test_a_topic_can_be_created_written_and_read(bootstrap_servers: str, unique_prefix: str) -> None:
    topic = f"{unique_prefix}round-trip"
    await create(bootstrap_servers, topic)
    await send(bootstrap_servers, topic, [b"first", b"second"])
    assert await receive(bootstrap_servers, topic, 2) == [b"first", b"second"]


def test_redis_writes_nothing_to_disk(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        assert client.dbsize() == 0
        assert client.config_get("save") == {"save": ""}
        assert client.config_get("appendonly") == {"appendonly": "no"}


async def test_records_outlive_a_killed_broker(private_stack: Stack, unique_prefix: str) -> None:
    topic = f"{unique_prefix}durable"
    await create(private_stack.bootstrap_servers, topic)
    await send(private_stack.bootstrap_servers, topic, [b"kept"])
    private_stack.kafka.kill()
    assert not answers(private_stack.kafka.port)
    private_stack.kafka.start()
    assert await receive(private_stack.bootstrap_servers, topic, 1) == [b"kept"]


def test_redis_comes_back_empty_on_the_same_port(private_stack: Stack) -> None:
    with redis.Redis.from_url(private_stack.redis_url) as client:
        client.set("key", "value")
    private_stack.redis.kill()
    private_stack.redis.start()
    with redis.Redis.from_url(private_stack.redis_url) as client:
        assert client.get("key") is None


def test_a_suspended_broker_is_alive_but_silent_until_resumed(private_stack: Stack) -> None:
    private_stack.kafka.suspend()
    assert private_stack.kafka.running
    assert not private_stack.kafka.ready()
    private_stack.kafka.resume()
    private_stack.kafka.wait_ready()


def test_status_tells_what_runs_where(private_stack: Stack) -> None:
    kafka, store = private_stack.status()
    assert (kafka.name, kafka.version, kafka.address) == ("Kafka", "4.3.1", private_stack.bootstrap_servers)
    assert (store.name, store.address) == ("Redis", private_stack.redis_url)
    assert store.version.split(".")[0].isdigit()
    assert kafka.memory_bytes > 50_000_000
    assert kafka.pid != store.pid


async def test_topics_outlive_a_stop_on_the_same_folder(tmp_path: Path, unique_prefix: str) -> None:
    topic = f"{unique_prefix}kept"
    with Stack(tmp_path) as first:
        await create(first.bootstrap_servers, topic)
        await send(first.bootstrap_servers, topic, [b"yesterday"])
    with Stack(tmp_path) as second:
        assert await receive(second.bootstrap_servers, topic, 1) == [b"yesterday"]


def test_stopping_twice_is_fine_and_removes_the_temporary_folder() -> None:
    stack = Stack()
    stack.start()
    stack.stop()
    stack.stop()
    assert not stack.data_dir.exists()
    assert stack.status() == []


def test_a_taken_port_is_named_and_nothing_is_left_running(private_stack: Stack, tmp_path: Path) -> None:
    taken = private_stack.kafka.port
    stack = Stack(tmp_path, ports=Ports(kafka=taken, redis=free_ports(1)[0]))
    with pytest.raises(ConfigurationError, match=f"Kafka: port {taken} on this machine is taken"):
        stack.start()
    assert stack.status() == []
    assert not answers(stack.redis.port)


def test_a_second_stack_on_the_same_folder_is_refused(private_stack: Stack) -> None:
    with pytest.raises(ConfigurationError, match="already running on"):
        Stack(private_stack.data_dir).start()
    assert len(private_stack.status()) == 2


def test_a_broker_that_ends_while_starting_is_quoted(tmp_path: Path) -> None:
    damaged = tmp_path / "kafka" / "data" / "meta.properties"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("version=1\n")
    with pytest.raises(TransientError, match=r"(?s)Kafka ended while starting.*kafka\.log.*meta\.properties"):
        Stack(tmp_path).start()


@pytest.mark.parametrize("formatted", [False, True])
def test_a_java_that_can_not_run_is_named(tmp_path: Path, *, formatted: bool) -> None:
    data = tmp_path / "kafka" / "data"
    if formatted:
        data.mkdir(parents=True)
        (data / "meta.properties").touch()
    stack = Stack(tmp_path)
    stack.kafka.java = tmp_path / "no-java"
    with pytest.raises(ConfigurationError, match=r"no-java.* can't run on this machine"):
        stack.start()
    assert stack.status() == []


def test_a_folder_with_spaces_commas_and_umlauts_is_fine(tmp_path: Path) -> None:
    with Stack(tmp_path / "my data, größer") as stack:
        assert len(stack.status()) == 2
        assert (stack.data_dir / "kafka" / "data" / "meta.properties").exists()


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"can't be kept in .*file"):
        Stack(tmp_path / "file" / "data").start()
