"""The composition root of the retrainer: the only place where adapters are chosen."""

import asyncio
from asyncio import Event
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from redis.asyncio import Redis

from argus_common.clock import SystemClock
from argus_common.kafka import build_consumer
from argus_common.kafka.dead_letters import FloodGuard
from argus_common.kafka.outbox import Outbox
from argus_common.kafka.source import KafkaSource
from argus_common.logs import configure
from argus_common.ops import Health, OpsServer, build_registry
from argus_common.redis_client import build_redis, ping
from argus_common.retry import retry
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings
from argus_common.starting import start
from argus_common.topics import ALERTS, CASCADES, COMMANDS, DRIFT, MODELS, PREDICTIONS, WINDOWS
from argus_forecasting.trained.store import ModelStore
from argus_retrainer.adapters.kafka_topics import KafkaTopics
from argus_retrainer.adapters.kubernetes_launcher import Cluster, KubernetesLauncher
from argus_retrainer.adapters.local_launcher import LocalLauncher
from argus_retrainer.adapters.local_versions import LocalVersions
from argus_retrainer.adapters.object_folder import ObjectFolder
from argus_retrainer.adapters.parquet_archive import ParquetArchive
from argus_retrainer.adapters.parquet_spans import ParquetSpans
from argus_retrainer.adapters.redis_lease import RedisLease
from argus_retrainer.archiving import Archiving, Keeping
from argus_retrainer.domain.buffer import WindowBuffer
from argus_retrainer.domain.job_manifest import JobPod
from argus_retrainer.domain.live_scores import WatchRules
from argus_retrainer.domain.policy import Rules
from argus_retrainer.metrics import ArchiveMetrics, TrainingMetrics
from argus_retrainer.orders import order
from argus_retrainer.ports import Launcher
from argus_retrainer.retraining import Outside, Plan, Retraining
from argus_retrainer.settings import RetrainerSettings

STUCK_AFTER_SECONDS = 600.0
"""Compacting a large day takes minutes, in a thread."""
FORECASTS_AT_ONCE = 200
"""Each is tens of kilobytes."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that is read from the environment."""

    retrainer: RetrainerSettings
    kafka: KafkaSettings
    redis: RedisSettings
    ops: OpsSettings


async def serve(configuration: Configuration, stop: Event) -> None:
    """Run the retrainer until ``stop`` is set.

    Raises:
        ConfigurationError: a setting, a file or a credential is wrong.
        TransientError: Kafka, Redis or the archive stayed unwell for longer than the retries last.
        DeadLetterFloodError: too many windows were unreadable.
    """
    settings, ops = configuration.retrainer, configuration.ops
    log = configure("retrainer", ops.log_level)
    registry, health = build_registry("retrainer"), Health("kafka", "redis", stuck_after=STUCK_AFTER_SECONDS)
    redis, outbox = build_redis(configuration.redis), Outbox(configuration.kafka, "argus-retrainer")
    source = _source(configuration)
    archiving = _archiving(settings, source, outbox, health, ArchiveMetrics(registry))
    training_metrics = TrainingMetrics(registry)
    with OpsServer(registry, health, ops.host, ops.port) as server:
        log.info("ops server answers", extra={"port": server.port})
        try:
            if not await start(
                stop,
                partial(retry, "connect to Kafka", outbox.start),
                partial(retry, "reach Redis", lambda: ping(redis)),
                partial(retry, "join the group", source.start),
            ):
                return
            health.set("redis", holds=True)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(archiving.run(stop))
                if settings.models is not None:
                    retraining = _retraining(configuration, settings.models, redis, outbox, health, training_metrics)
                    tasks.create_task(retraining.run(stop))
        finally:
            for end in (source.stop, outbox.stop, redis.aclose):
                await end()
    log.info("stopped")


def _source(configuration: Configuration) -> KafkaSource:
    kafka = configuration.kafka
    consumer = build_consumer(kafka, group=configuration.retrainer.group, client_id="argus-retrainer")
    return KafkaSource(consumer, kafka.topic(WINDOWS.name))


def _archiving(
    settings: RetrainerSettings, source: KafkaSource, outbox: Outbox, health: Health, metrics: ArchiveMetrics
) -> Archiving:
    return Archiving(
        source,
        ParquetArchive(ObjectFolder(settings.archive)),
        outbox,
        WindowBuffer(settings.archive_windows, settings.archive_every.total_seconds()),
        Keeping(settings.archive_days, settings.tidy_every.total_seconds()),
        FloodGuard(max_share=settings.max_dead_letter_share),
        health,
        metrics,
        SystemClock(),
    )


def _retraining(
    configuration: Configuration,
    models: Path,
    redis: Redis,
    outbox: Outbox,
    health: Health,
    metrics: TrainingMetrics,
) -> Retraining:
    settings, kafka = configuration.retrainer, configuration.kafka
    folder = ObjectFolder(settings.archive)
    outside = Outside(
        KafkaTopics(kafka, (MODELS.name, COMMANDS.name, ALERTS.name, DRIFT.name, CASCADES.name)),
        KafkaTopics(kafka, (PREDICTIONS.name,), FORECASTS_AT_ONCE),
        RedisLease(redis, configuration.redis.key_prefix, settings.model_name),
        _launcher(settings),
        outbox,
        ParquetArchive(folder),
        ParquetSpans(folder),
        LocalVersions(ModelStore(models), settings.model_name, settings.keep_versions),
        SystemClock(),
        health,
    )
    return Retraining(_plan(settings), outside, metrics)


def _launcher(settings: RetrainerSettings) -> Launcher:
    work = settings.work.absolute()
    if settings.launcher == "local":
        return LocalLauncher(work)
    pod = JobPod(
        settings.job_image,
        settings.job_claim,
        str(settings.job_mount),
        settings.job_cpu,
        settings.job_memory,
        settings.job_secret,
        round(settings.time_limit.total_seconds()),
    )
    return KubernetesLauncher(Cluster.around(), settings.model_name, work, pod)


def _plan(settings: RetrainerSettings) -> Plan:
    rules = Rules(settings.cool_down, settings.per_week, settings.age, settings.least_days, settings.most_at_risk)
    watch = WatchRules(settings.watch_bound, round(settings.watch_span.total_seconds() * 1000))
    limit_ms = round(settings.time_limit.total_seconds() * 1000)
    work = settings.work.absolute()
    return Plan(settings.model_name, rules, watch, partial(order, settings), limit_ms, work)
