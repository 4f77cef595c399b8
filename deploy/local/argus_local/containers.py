"""The same two servers in containers, for machines that have them and for comparing versions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

KAFKA_IMAGE = "confluentinc/cp-kafka:8.0.0"
REDIS_IMAGE = "redis:7.4-alpine"


@dataclass(frozen=True, slots=True)
class ContainerStack:
    """Addresses of a stack that runs in containers."""

    bootstrap_servers: str
    redis_url: str


@contextmanager
def container_stack() -> Iterator[ContainerStack]:
    """Kafka and Redis in containers for the length of the block."""
    # Only where asked for: without a container daemon even constructing one of these raises.
    from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415
    from testcontainers.community.redis import RedisContainer  # noqa: PLC0415

    kafka = (
        KafkaContainer(KAFKA_IMAGE)
        .with_kraft()
        .with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
        .with_env("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
        .with_env("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
    )
    with kafka, RedisContainer(REDIS_IMAGE) as redis:
        address = f"redis://{redis.get_container_host_ip()}:{redis.get_exposed_port(redis.port)}/0"
        yield ContainerStack(kafka.get_bootstrap_server(), address)
