"""The composition root of inference: the only place where adapters are chosen."""

import asyncio
from asyncio import Event
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from argus_common.errors import TransientError
from argus_common.kafka import build_broker
from argus_common.kafka.dead_letters import FloodGuard
from argus_common.kafka.outbox import Outbox
from argus_common.logs import configure
from argus_common.metrics import load_catalogue
from argus_common.ops import Health, OpsServer, build_registry
from argus_common.redis_client import build_redis, ping
from argus_common.retry import retry
from argus_common.ring import RingLayout, RingStore
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings
from argus_forecasting.statistical import AnalogForecaster
from argus_inference.adapters.kafka_subscription import Subscription
from argus_inference.adapters.prometheus_page import ForecastPage
from argus_inference.domain.scoring import SCORED_LEADS
from argus_inference.domain.series import Targets
from argus_inference.handlers import WindowHandler
from argus_inference.metrics import InferenceMetrics
from argus_inference.service import ForecastService
from argus_inference.settings import InferenceSettings

LEDGER_STEPS = 128
"""Origins kept per server: a little more than the longest scored lead."""
BEAT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that is read from the environment."""

    inference: InferenceSettings
    kafka: KafkaSettings
    redis: RedisSettings
    ops: OpsSettings


async def serve(configuration: Configuration, stop: Event) -> None:
    """Run inference until ``stop`` is set.

    Raises:
        ConfigurationError: a file or a credential is wrong.
        TransientError: Kafka or Redis stayed unwell for longer than the retries last.
        DeadLetterFloodError: too many windows were unreadable.
    """
    log = configure("inference", configuration.ops.log_level)
    registry, health = build_registry("inference"), Health("kafka", "redis")
    redis, outbox = build_redis(configuration.redis), Outbox(configuration.kafka, "argus-inference")
    broker = build_broker(configuration.kafka, "argus-inference")
    with ThreadPoolExecutor(1, "forecast") as executor:
        handler, page = _handler(configuration, registry, redis, outbox, executor)
        subscription = Subscription(broker, handler)
        subscription.subscribe(configuration.kafka, configuration.inference)
        with OpsServer(registry, health, configuration.ops.host, configuration.ops.port, [page.text]) as server:
            log.info("ops server answers", extra={"port": server.port})
            try:
                await retry("reach Redis", lambda: ping(redis))
                await retry("connect to Kafka", outbox.start)
                await retry("join the group", lambda: _start(broker))
                health.set("redis", holds=True)
                health.set("kafka", holds=True)
                await _until(stop, subscription, health)
            finally:
                await broker.stop()
                await outbox.stop()
                await redis.aclose()
    log.info("stopped")


def _handler(
    configuration: Configuration, registry: CollectorRegistry, redis: Redis, outbox: Outbox, executor: Executor
) -> tuple[WindowHandler, ForecastPage]:
    settings = configuration.inference
    catalogue = load_catalogue(settings.metric_catalogue)
    targets, levels = Targets.of(catalogue), settings.quantile_levels
    metrics, page = InferenceMetrics(registry, targets.names, SCORED_LEADS), ForecastPage(targets, levels)
    prefix = f"{configuration.redis.key_prefix}:{catalogue.fingerprint()}"
    kept = len(targets.metrics) * len(SCORED_LEADS) * len(levels)
    service = ForecastService(
        targets,
        AnalogForecaster(settings.history_steps),
        RingStore(redis, f"{prefix}:ring", RingLayout(len(catalogue.names()), settings.ring_steps)),
        RingStore(redis, f"{prefix}:forecasts", RingLayout(kept, LEDGER_STEPS)),
        outbox,
        page,
        metrics,
        executor,
        horizon=settings.horizon_steps,
        levels=levels,
        chunk_servers=settings.chunk_servers,
    )
    guard = FloodGuard(max_share=settings.max_dead_letter_share)
    return WindowHandler(service, outbox, metrics, guard), page


async def _start(broker: KafkaBroker) -> None:
    try:
        await broker.start()
    except KafkaError as error:
        raise TransientError(f"Kafka: {error}") from error


async def _until(stop: Event, subscription: Subscription, health: Health) -> None:
    """Beat until told to stop, or raise what the subscription failed with."""
    while not stop.is_set():
        health.beat()
        done, _ = await asyncio.wait({subscription.failed}, timeout=BEAT_SECONDS)
        if done:
            subscription.failed.result()
