"""The composition root of cascade: the only place where adapters are chosen."""

import asyncio
from asyncio import Event
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from prometheus_client import CollectorRegistry

from argus_cascade.adapters.alertmanager import Bridge, post_to
from argus_cascade.adapters.topology_file import load_topology
from argus_cascade.detectors import CascadeDetectors
from argus_cascade.domain.alertmanager import Alert, alerts_of
from argus_cascade.domain.columns import Columns
from argus_cascade.domain.detector import DetectorSettings
from argus_cascade.domain.standing import shown
from argus_cascade.fleets import Fleets
from argus_cascade.metrics import BridgeMetrics, CascadeMetrics
from argus_cascade.pipeline import Pipeline
from argus_cascade.ports import Detectors
from argus_cascade.settings import CascadeSettings
from argus_common.clock import SystemClock
from argus_common.events import MaintenanceScheduled
from argus_common.forecasts.loop import Loop
from argus_common.forecasts.pipeline import Outside
from argus_common.forecasts.redis_store import RedisStore
from argus_common.kafka import build_consumer
from argus_common.kafka.commands import Commands, Hearing
from argus_common.kafka.dead_letters import FloodGuard
from argus_common.kafka.outbox import Outbox
from argus_common.kafka.source import KafkaSource
from argus_common.logs import configure
from argus_common.maintenance import MaintenanceSpans
from argus_common.metrics import load_catalogue
from argus_common.ops import Health, OpsServer, build_registry
from argus_common.redis_client import build_redis, ping
from argus_common.retry import retry
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings
from argus_common.starting import start
from argus_common.topics import PREDICTIONS


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that is read from the environment."""

    cascade: CascadeSettings
    kafka: KafkaSettings
    redis: RedisSettings
    ops: OpsSettings


def detectors_of(settings: CascadeSettings) -> Detectors:
    """The detectors that are served.

    Raises:
        ConfigurationError: the topology is wrong.
    """
    return CascadeDetectors(load_topology(settings.topology), DetectorSettings(learn_topology=settings.learn_topology))


async def serve(
    configuration: Configuration, stop: Event, made: Callable[[CascadeSettings], Detectors] = detectors_of
) -> None:
    """Run cascade until ``stop`` is set, with the detectors that ``made`` gives.

    Raises:
        ConfigurationError: a file or a credential is wrong.
        TransientError: Kafka or Redis stayed unwell for longer than the retries last.
        DeadLetterFloodError: too many forecasts were unreadable.
    """
    settings, ops, kafka = configuration.cascade, configuration.ops, configuration.kafka
    log = configure("cascade", ops.log_level)
    columns, detectors = Columns.of(load_catalogue(settings.metric_catalogue)), made(settings)
    registry, health = build_registry("cascade"), Health("kafka", "redis")
    metrics, spans = CascadeMetrics(registry), MaintenanceSpans()
    redis, outbox = build_redis(configuration.redis), Outbox(kafka, "argus-cascade")
    consumer = build_consumer(
        kafka, group=settings.group, client_id="argus-cascade", max_poll_records=settings.max_poll_records
    )
    source = KafkaSource(consumer, kafka.topic(PREDICTIONS.name))
    store = RedisStore(redis, configuration.redis.key_prefix, "cascade", kafka.topic(PREDICTIONS.name))
    outside = Outside(store, outbox, SystemClock(), health)
    fleets = Fleets(detectors, settings.settle.total_seconds())
    guard = FloodGuard(max_share=settings.max_dead_letter_share)
    pipeline = Pipeline(columns, fleets, spans.worked_on, outside, metrics, guard)
    loop = Loop(source, pipeline, outside, metrics.show_lag, lambda: ping(redis))
    commands = Commands(kafka, _hearing(spans, outbox, metrics), loop.fail)
    with OpsServer(registry, health, ops.host, ops.port) as server:
        log.info("ops server answers", extra={"port": server.port})
        try:
            if await start(
                stop,
                partial(retry, "connect to Kafka", outbox.start),
                partial(retry, "read commands", commands.start),
                partial(retry, "reach Redis", lambda: ping(redis)),
                partial(retry, "join the group", source.start),
            ):
                async with _bridge(settings, pipeline, registry):
                    await loop.run(stop)
        finally:
            for end in (source.stop, commands.stop, outbox.stop, redis.aclose):
                await end()
    log.info("stopped")


def _hearing(spans: MaintenanceSpans, outbox: Outbox, metrics: CascadeMetrics) -> Hearing[MaintenanceScheduled]:
    """Maintenances are asked of inference, and concern us as well; what else inference is asked is its own affair."""
    kinds, refused = (MaintenanceScheduled,), metrics.commands_bad.inc
    return Hearing("cascade", "inference", kinds, spans.add, refused, outbox.bury, all_ours=False)


@asynccontextmanager
async def _bridge(settings: CascadeSettings, pipeline: Pipeline, registry: CollectorRegistry) -> AsyncIterator[None]:
    """Alertmanager is told within the block, where one is named."""
    if settings.alertmanager_url is None:
        yield
        return
    clock = SystemClock()

    def alerts() -> list[Alert]:
        now_ms = clock.now_ms()
        return alerts_of(shown(pipeline.standing(), now_ms), now_ms, settings.generator_url)

    bridge = Bridge(post_to(settings.alertmanager_url), alerts, BridgeMetrics(registry), clock)
    pipeline.on_change(bridge.wake)
    running = asyncio.create_task(bridge.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running})
