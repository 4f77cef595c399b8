"""The composition root of ingest: the only place where adapters are chosen."""

from asyncio import Event
from dataclasses import dataclass
from functools import partial

from argus_common.clock import SystemClock
from argus_common.kafka import build_consumer
from argus_common.kafka.dead_letters import FloodGuard
from argus_common.kafka.outbox import Outbox
from argus_common.kafka.source import KafkaSource
from argus_common.logs import configure
from argus_common.metrics import Catalogue, load_catalogue
from argus_common.ops import Health, OpsServer, build_registry
from argus_common.redis_client import build_redis, ping
from argus_common.retry import retry
from argus_common.ring import RingLayout, RingStore
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings
from argus_common.starting import start
from argus_common.topics import METRICS
from argus_ingest.adapters.kafka_publisher import KafkaPublisher
from argus_ingest.adapters.kafka_rebuild import KafkaRebuilder
from argus_ingest.adapters.redis_store import RedisPartitionStore
from argus_ingest.domain.decode import Decoder
from argus_ingest.domain.mapping import load_mapping
from argus_ingest.domain.servers import ServerTable
from argus_ingest.domain.steps import StepClock
from argus_ingest.loop import Loop
from argus_ingest.metrics import IngestMetrics
from argus_ingest.pipeline import Outside, Pipeline
from argus_ingest.settings import IngestSettings


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that is read from the environment."""

    ingest: IngestSettings
    kafka: KafkaSettings
    redis: RedisSettings
    ops: OpsSettings


async def serve(configuration: Configuration, stop: Event) -> None:
    """Run ingest until ``stop`` is set.

    Raises:
        ConfigurationError: a file or a credential is wrong.
        TransientError: Kafka or Redis stayed unwell for longer than the retries last.
        DeadLetterFloodError: too many records were unreadable.
    """
    settings, ops = configuration.ingest, configuration.ops
    log = configure("ingest", ops.log_level)
    catalogue = load_catalogue(settings.metric_catalogue)
    registry, health = build_registry("ingest"), Health("kafka", "redis")
    metrics = IngestMetrics(registry)
    redis = build_redis(configuration.redis)
    outbox = Outbox(configuration.kafka, "argus-ingest")
    topic = configuration.kafka.topic(METRICS.name)
    consumer = build_consumer(
        configuration.kafka, group=settings.group, client_id="argus-ingest", max_poll_records=settings.max_poll_records
    )
    source = KafkaSource(consumer, topic)
    prefix = f"{configuration.redis.key_prefix}:{catalogue.fingerprint()}"
    layout = RingLayout(len(catalogue.names()), settings.ring_steps)
    rings = RingStore(redis, f"{prefix}:ring", layout, settings.rings_kept)
    outside = Outside(
        rings,
        RedisPartitionStore(redis, prefix, topic, settings.step_seconds),
        KafkaPublisher(outbox),
        KafkaRebuilder(configuration.kafka, rings, catalogue, settings.step_seconds, metrics, health),
        SystemClock(),
        health,
    )
    pipeline = _pipeline(settings, catalogue, outside, metrics)
    loop = Loop(source, pipeline, outside.clock, health, metrics, settings.idle_timeout.total_seconds())
    with OpsServer(registry, health, ops.host, ops.port) as server:
        log.info("ops server answers", extra={"port": server.port})
        try:
            if await start(
                stop,
                partial(retry, "connect to Kafka", outbox.start),
                partial(retry, "reach Redis", lambda: ping(redis)),
                partial(retry, "join the group", source.start),
            ):
                health.set("redis", holds=True)
                await loop.run(stop)
        finally:
            await source.stop()
            await outbox.stop()
            await redis.aclose()
    log.info("stopped")


def _pipeline(settings: IngestSettings, catalogue: Catalogue, outside: Outside, metrics: IngestMetrics) -> Pipeline:
    mapping = load_mapping(settings.mapping_file, catalogue)
    servers = ServerTable(settings.max_servers, mapping.profile_rules())
    lateness_ms = round(settings.allowed_lateness.total_seconds() * 1000)
    future_ms = round(settings.max_future_skew.total_seconds() * 1000)
    return Pipeline(
        catalogue,
        Decoder(catalogue, mapping, servers, future_ms),
        servers,
        StepClock(settings.step_seconds * 1000, lateness_ms),
        outside,
        metrics,
        FloodGuard(max_share=settings.max_dead_letter_share),
        settings.silence_steps,
        max(settings.silence_steps, settings.ring_steps),
    )
