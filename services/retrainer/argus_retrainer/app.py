"""The composition root of the retrainer: the only place where adapters are chosen."""

from asyncio import Event
from dataclasses import dataclass

from argus_common.clock import SystemClock
from argus_common.kafka import build_consumer
from argus_common.kafka.dead_letters import FloodGuard
from argus_common.kafka.outbox import Outbox
from argus_common.kafka.source import KafkaSource
from argus_common.logs import configure
from argus_common.ops import Health, OpsServer, build_registry
from argus_common.retry import retry
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings
from argus_common.topics import WINDOWS
from argus_retrainer.adapters.object_folder import ObjectFolder
from argus_retrainer.adapters.parquet_archive import ParquetArchive
from argus_retrainer.archiving import Archiving, Keeping
from argus_retrainer.domain.buffer import WindowBuffer
from argus_retrainer.metrics import ArchiveMetrics
from argus_retrainer.settings import RetrainerSettings

STUCK_AFTER_SECONDS = 600.0
"""Compacting a large day takes minutes, in a thread."""


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
    ops = configuration.ops
    log = configure("retrainer", ops.log_level)
    registry, health = build_registry("retrainer"), Health("kafka", stuck_after=STUCK_AFTER_SECONDS)
    outbox = Outbox(configuration.kafka, "argus-retrainer")
    source = _source(configuration)
    archiving = _archiving(configuration.retrainer, source, outbox, health, ArchiveMetrics(registry))
    with OpsServer(registry, health, ops.host, ops.port) as server:
        log.info("ops server answers", extra={"port": server.port})
        try:
            await retry("connect to Kafka", outbox.start)
            await retry("join the group", source.start)
            await archiving.run(stop)
        finally:
            await source.stop()
            await outbox.stop()
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
