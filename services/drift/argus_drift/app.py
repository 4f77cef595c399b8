"""The composition root of drift: the only place where adapters are chosen."""

from asyncio import Event
from dataclasses import dataclass
from functools import partial

from argus_common.clock import SystemClock
from argus_common.errors import ConfigurationError
from argus_common.forecasts.loop import Loop
from argus_common.forecasts.pipeline import Outside
from argus_common.forecasts.redis_store import RedisStore
from argus_common.kafka import build_consumer
from argus_common.kafka.dead_letters import FloodGuard
from argus_common.kafka.outbox import Outbox
from argus_common.kafka.source import KafkaSource
from argus_common.logs import configure
from argus_common.metrics import load_catalogue
from argus_common.ops import Health, OpsServer, build_registry
from argus_common.redis_client import build_redis, ping
from argus_common.retry import retry
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings
from argus_common.starting import start
from argus_common.topics import PREDICTIONS
from argus_drift.fleets import Fleets
from argus_drift.metrics import DriftMetrics
from argus_drift.pipeline import Pipeline
from argus_drift.settings import DriftSettings


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that is read from the environment."""

    drift: DriftSettings
    kafka: KafkaSettings
    redis: RedisSettings
    ops: OpsSettings


def fleets_of(settings: DriftSettings) -> Fleets:
    """Makes the fleets of the catalogue's targets.

    Raises:
        ConfigurationError: the catalogue is wrong, or has no target.
    """
    targets = tuple(metric.name for metric in load_catalogue(settings.metric_catalogue).targets())
    if not targets:
        raise ConfigurationError("no metric of the catalogue is a target: set `target: true` on what is forecast")
    return Fleets(targets, settings.settle.total_seconds())


async def serve(configuration: Configuration, stop: Event) -> None:
    """Run drift until ``stop`` is set.

    Raises:
        ConfigurationError: a file or a credential is wrong.
        TransientError: Kafka or Redis stayed unwell for longer than the retries last.
        DeadLetterFloodError: too many forecasts were unreadable.
    """
    settings, ops, kafka = configuration.drift, configuration.ops, configuration.kafka
    log, fleets = configure("drift", ops.log_level), fleets_of(settings)
    registry, health = build_registry("drift"), Health("kafka", "redis")
    metrics, redis, outbox = DriftMetrics(registry), build_redis(configuration.redis), Outbox(kafka, "argus-drift")
    consumer = build_consumer(
        kafka, group=settings.group, client_id="argus-drift", max_poll_records=settings.max_poll_records
    )
    source = KafkaSource(consumer, kafka.topic(PREDICTIONS.name))
    store = RedisStore(redis, configuration.redis.key_prefix, "drift", kafka.topic(PREDICTIONS.name))
    outside = Outside(store, outbox, SystemClock(), health)
    pipeline = Pipeline(fleets, outside, metrics, FloodGuard(max_share=settings.max_dead_letter_share))
    loop = Loop(source, pipeline, outside, metrics.show_lag, lambda: ping(redis))
    with OpsServer(registry, health, ops.host, ops.port) as server:
        log.info("ops server answers", extra={"port": server.port})
        try:
            if await start(
                stop,
                partial(retry, "connect to Kafka", outbox.start),
                partial(retry, "reach Redis", lambda: ping(redis)),
                partial(retry, "join the group", source.start),
            ):
                await loop.run(stop)
        finally:
            for end in (source.stop, outbox.stop, redis.aclose):
                await end()
    log.info("stopped")
