"""The composition root of inference: the only place where adapters are chosen."""

from asyncio import Event
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from redis.asyncio import Redis

from argus_common.clock import SystemClock
from argus_common.events import BreachMitigated, MaintenanceScheduled
from argus_common.kafka import build_broker, connect
from argus_common.kafka.commands import Commands, Hearing
from argus_common.kafka.dead_letters import FloodGuard
from argus_common.kafka.follow import TopicFollower
from argus_common.kafka.outbox import Outbox
from argus_common.logs import configure
from argus_common.metrics import Catalogue, load_catalogue
from argus_common.ops import Health, OpsServer, build_registry
from argus_common.redis_client import build_redis, ping
from argus_common.retry import retry
from argus_common.ring import RingLayout, RingStore
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings
from argus_common.starting import start
from argus_common.topics import MODELS
from argus_forecasting.alarms import AlarmRule
from argus_forecasting.trained.store import ModelStore
from argus_inference.adapters.kafka_promotions import KafkaPromotions, NoPromotions
from argus_inference.adapters.kafka_subscription import Subscription
from argus_inference.adapters.model_shelf import StoreShelf, of_settings, statistical
from argus_inference.adapters.prometheus_page import ForecastPage
from argus_inference.adapters.redis_alerts import RedisAlertStore
from argus_inference.adapters.redis_fleet import RedisFleetStore
from argus_inference.adapters.redis_ledger import RedisForecastLedger
from argus_inference.adapters.redis_trust import RedisTrustStore
from argus_inference.alert_metrics import AlertMetrics
from argus_inference.alerts import AlertService
from argus_inference.domain.alert_state import row_width
from argus_inference.domain.backlog import Backlog
from argus_inference.domain.mitigation import Mitigations
from argus_inference.domain.series import Targets
from argus_inference.domain.serving import Serving
from argus_inference.handlers import WindowHandler
from argus_inference.metrics import InferenceMetrics
from argus_inference.promotions import PromotionHandler
from argus_inference.service import ForecastService, Outside, Plan
from argus_inference.settings import InferenceSettings
from argus_inference.swap import Demands, ModelSwap
from argus_inference.watch import STUCK_AFTER_SECONDS, Watch


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
        ModelUnavailableError: the model can't be trusted or read.
        TransientError: Kafka or Redis stayed unwell for longer than the retries last.
        DeadLetterFloodError: too many windows were unreadable.
    """
    settings, ops = configuration.inference, configuration.ops
    log = configure("inference", ops.log_level)
    catalogue = load_catalogue(settings.metric_catalogue)
    targets = Targets.of(catalogue)
    registry = build_registry("inference")
    health = Health("kafka", "redis", "progress", stuck_after=STUCK_AFTER_SECONDS)
    metrics, page = InferenceMetrics(registry, targets.names), ForecastPage(targets, settings.quantile_levels)
    alert_metrics, mitigations = AlertMetrics(registry, targets.names), Mitigations()
    redis, outbox = build_redis(configuration.redis), Outbox(configuration.kafka, "argus-inference")
    broker = build_broker(configuration.kafka, "argus-inference")
    with (
        ThreadPoolExecutor(1, "forecast") as executor,
        ThreadPoolExecutor(1, "model") as aside,
        OpsServer(registry, health, ops.host, ops.port, [page.text]) as server,
    ):
        log.info("ops server answers", extra={"port": server.port})
        outside = _outside(configuration, catalogue, targets, redis, outbox, page, executor)
        serving = Serving(of_settings(settings), statistical(settings))
        promotions = _promotions(configuration, serving, outside, aside, metrics)
        alerts = _alerts(configuration, targets, redis, outside, mitigations, alert_metrics)
        service = ForecastService(_plan(settings, targets), serving, outside, metrics, alerts)
        subscription = Subscription(broker, _handler(settings, service, outside, metrics), page)
        subscription.subscribe(configuration.kafka, settings)
        commands = Commands(configuration.kafka, _hearing(mitigations, outbox, alert_metrics), subscription.fail)
        try:
            if await start(
                stop,
                partial(retry, "reach Redis", lambda: ping(redis)),
                partial(retry, "connect to Kafka", outbox.start),
                partial(retry, "read commands", commands.start),
                promotions.begin,
                service.warm_up,
                partial(retry, "join the group", lambda: connect(broker, configuration.kafka)),
            ):
                async with promotions.followed(subscription.failed):
                    await Watch(subscription, lambda: ping(redis), health, metrics, outside.clock).run(stop)
        finally:
            for end in (broker.stop, commands.stop, outbox.stop, redis.aclose):
                await end()
    log.info("stopped")


def _outside(
    configuration: Configuration,
    catalogue: Catalogue,
    targets: Targets,
    redis: Redis,
    outbox: Outbox,
    page: ForecastPage,
    executor: Executor,
) -> Outside:
    settings = configuration.inference
    prefix = f"{configuration.redis.key_prefix}:{catalogue.fingerprint()}"
    rings = RingStore(redis, f"{prefix}:ring", RingLayout(len(catalogue.names()), settings.ring_steps))
    ledger = RedisForecastLedger(redis, prefix, targets.names, settings.quantile_levels)
    trust = RedisTrustStore(redis, prefix, targets.names, settings.quantile_levels)
    return Outside(rings, RedisFleetStore(redis, prefix), ledger, outbox, page, SystemClock(), executor, trust=trust)


def _plan(settings: InferenceSettings, targets: Targets) -> Plan:
    return Plan(
        targets, settings.horizon_steps, settings.quantile_levels, settings.chunk_servers, settings.drivers_from_risk
    )


def _alerts(
    configuration: Configuration,
    targets: Targets,
    redis: Redis,
    outside: Outside,
    mitigations: Mitigations,
    metrics: AlertMetrics,
) -> AlertService:
    rule = AlarmRule()
    store = RedisAlertStore(redis, configuration.redis.key_prefix, targets.names, row_width(rule))
    levels = configuration.inference.quantile_levels
    return AlertService(rule, targets, levels, store, outside.publisher, mitigations, metrics, outside.clock)


def _hearing(
    mitigations: Mitigations, outbox: Outbox, metrics: AlertMetrics
) -> Hearing[BreachMitigated | MaintenanceScheduled]:
    kinds = BreachMitigated, MaintenanceScheduled
    return Hearing("inference", "inference", kinds, mitigations.add, metrics.commands_bad.inc, outbox.bury)


def _promotions(
    configuration: Configuration, serving: Serving, outside: Outside, aside: Executor, metrics: InferenceMetrics
) -> KafkaPromotions | NoPromotions:
    settings = configuration.inference
    if settings.models is None:
        return NoPromotions()
    shelf = StoreShelf(settings, ModelStore(settings.models))
    demands = Demands(settings.horizon_steps, settings.quantile_levels, settings.ring_steps)
    swap = ModelSwap(shelf, serving, demands, aside, metrics, outside.clock)
    handler = PromotionHandler(settings.model_name, swap, outside.publisher, metrics)
    return KafkaPromotions(TopicFollower(configuration.kafka, MODELS.name, "argus-inference"), handler)


def _handler(
    settings: InferenceSettings, service: ForecastService, outside: Outside, metrics: InferenceMetrics
) -> WindowHandler:
    backlog, guard = Backlog(settings.max_hold.total_seconds()), FloodGuard(max_share=settings.max_dead_letter_share)
    return WindowHandler(service, outside.publisher, backlog, guard, metrics, outside.clock)
