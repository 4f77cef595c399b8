"""The order of effects, groups, retries, and how earlier forecasts come back as scores."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from inference_alerts import MemoryAlerts, alert_service
from inference_domain import (
    LEVELS,
    STEP,
    STEP_SECONDS,
    TARGETS,
    InlineExecutor,
    MemoryDisplay,
    MemoryFleets,
    MemoryHistory,
    MemoryLedger,
    MemoryPublisher,
    MemoryTrust,
    StubForecaster,
    arrived,
    serving_of,
    window,
)
from prometheus_client import CollectorRegistry

from argus_common.clock import ManualClock
from argus_common.errors import TransientError
from argus_common.retry import Backoff
from argus_forecasting.forecaster import Floats
from argus_inference.domain.backlog import Arrived
from argus_inference.metrics import InferenceMetrics
from argus_inference.service import ForecastService, Outside, Plan

QUICK = Backoff(first=1e-9, longest=1e-9, give_up_after=3.5e-9)


@dataclass
class Bench:
    """A service and its outside in memory."""

    history: MemoryHistory = field(default_factory=MemoryHistory)
    fleets: MemoryFleets = field(default_factory=MemoryFleets)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    trust: MemoryTrust = field(default_factory=MemoryTrust)
    display: MemoryDisplay = field(default_factory=MemoryDisplay)
    alerts: MemoryAlerts = field(default_factory=MemoryAlerts)
    forecaster: StubForecaster = field(default_factory=StubForecaster)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    clock: ManualClock = field(default_factory=lambda: ManualClock((STEP + 1) * STEP_SECONDS * 1000 + 2500))
    group_servers: int = 2

    def service(self) -> ForecastService:
        self.ledger.log = self.trust.log = self.alerts.log = self.publisher.log
        outside = Outside(
            self.history,
            self.fleets,
            self.ledger,
            self.publisher,
            self.display,
            self.clock,
            InlineExecutor(),
            QUICK,
            trust=self.trust,
        )
        plan = Plan(TARGETS, 96, LEVELS, self.group_servers)
        metrics = InferenceMetrics(self.registry, TARGETS.names)
        alerts = alert_service(self.publisher, store=self.alerts, clock=self.clock)
        return ForecastService(plan, serving_of(self.forecaster), outside, metrics, alerts)

    def value(self, series: str, /, **labels: str) -> float | None:
        return self.registry.get_sample_value(series, labels)

    def servers(self) -> list[str]:
        return [json.loads(record.value)["server"] for record in self.publisher.sent]


async def test_state_comes_before_events() -> None:
    bench = Bench()
    await bench.service().forecast([arrived()])
    assert bench.publisher.log == ["kept", "learned", "sent to argus.predictions.v1", "alerts kept"]
    assert list(bench.ledger.kept) == [("default/web1", STEP)]
    assert bench.servers() == ["web1"]


async def test_servers_are_read_and_forecast_in_groups_of_one_fleet_and_step() -> None:
    bench = Bench()
    several = [arrived(name) for name in "abc"] + [arrived("d", STEP - 1), arrived("e", fleet="eu")]
    await bench.service().forecast(several)
    assert sorted(bench.history.reads) == [
        ["default/a", "default/b"],
        ["default/c"],
        ["default/d"],
        ["eu/e"],
    ]
    assert sorted(bench.servers()) == ["a", "b", "c", "d", "e"]
    assert sorted(len(batch) for batch in bench.forecaster.batches) == [3, 3, 3, 6]


async def test_the_forecaster_sees_the_ring_up_to_the_window() -> None:
    bench = Bench()
    bench.history.fill("default/web1", 7.0)
    await bench.service().forecast([arrived()])
    (batch,) = bench.forecaster.batches
    assert batch.values[0].tolist() == [7.0] * 11 + [40.0]


async def test_warming_up_forecasts_a_whole_group_and_tells_nobody() -> None:
    bench = Bench(group_servers=3)
    await bench.service().warm_up()
    assert [len(batch) for batch in bench.forecaster.batches] == [9]
    assert (bench.publisher.log, bench.display.shown, bench.history.reads) == ([], [], [])
    assert bench.value("argus_inference_forecasts_total") == 0


async def test_nothing_to_forecast_publishes_nothing() -> None:
    bench = Bench()
    await bench.service().forecast([])
    assert bench.publisher.log == []


async def test_what_is_shown_carries_the_partition_it_came_from() -> None:
    bench = Bench()
    await bench.service().forecast([arrived("a", partition=3), arrived("b", partition=5)])
    ((outcome, partitions),) = bench.display.shown
    assert [one.server for one in outcome.windows] == ["a", "b"]
    assert partitions == [3, 5]


async def test_a_transient_fault_is_retried_in_place() -> None:
    bench = Bench()
    bench.publisher.failures = [TransientError("away"), TransientError("still away")]
    await bench.service().forecast([arrived()])
    assert bench.servers() == ["web1"]


async def test_a_fault_that_lasts_is_raised_as_itself_and_nothing_is_shown() -> None:
    bench = Bench(group_servers=1)
    bench.publisher.failures = [TransientError(f"away {n}") for n in range(20)]
    with pytest.raises(TransientError, match="away"):
        await bench.service().forecast([arrived("a"), arrived("b"), arrived("c")])
    assert bench.publisher.sent == []
    assert bench.display.shown == []


async def test_a_bug_is_not_retried() -> None:
    bench = Bench()
    bench.publisher.failures = [ZeroDivisionError("a bug")]
    with pytest.raises(ZeroDivisionError):
        await bench.service().forecast([arrived()])
    assert bench.publisher.failures == []


@dataclass
class SlowHistory(MemoryHistory):
    """Notes how many reads are under way at once."""

    under_way: int = 0
    most: int = 0

    async def read(self, names: Sequence[str], last_step: int, length: int) -> Floats:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(20):
            await asyncio.sleep(0)
        self.under_way -= 1
        return await super().read(names, last_step, length)


async def test_two_groups_are_in_work_at_once_and_never_more() -> None:
    history = SlowHistory()
    bench = Bench(history=history, group_servers=1)
    await bench.service().forecast([arrived(name) for name in "abcdefgh"])
    assert history.most == 2
    assert len(bench.servers()) == 8


def at(step: int, **metrics: float) -> Arrived:
    return Arrived(window("web1", step, **metrics), 0, (step + 1) * STEP_SECONDS * 1000)


async def test_a_forecast_is_scored_when_its_step_closes() -> None:
    bench = Bench()
    service = bench.service()
    await service.forecast([at(STEP, disk=40.0)])
    await service.forecast([at(STEP + 1, disk=40.5)])
    told = json.loads(bench.publisher.sent[1].value)["scores"]
    alone = {"model_pinball": None, "statistical_pinball": None}
    assert told == [{"target": "disk", "lead": 1, "pit": 0.7, "residual": 0.5, "pinball": 0.15, **alone}]
    assert json.loads(bench.publisher.sent[0].value)["scores"] == []
    assert bench.value("argus_forecast_coverage_ratio", target="disk", lead="1") == 1.0
    assert bench.value("argus_forecast_pinball_loss", target="disk", lead="1") == pytest.approx(0.15)
    assert np.isnan(bench.value("argus_forecast_coverage_ratio", target="disk", lead="12") or 0.0)


async def test_a_window_forecast_again_says_the_same_again() -> None:
    bench = Bench()
    service = bench.service()
    await service.forecast([at(STEP, disk=40.0)])
    for _ in range(2):
        await service.forecast([at(STEP + 1, disk=40.5)])
    assert bench.publisher.sent[1] == bench.publisher.sent[2]


async def test_without_a_day_of_history_there_is_no_naive_score() -> None:
    bench = Bench()
    await bench.service().forecast([arrived()])
    assert np.isnan(bench.value("argus_forecast_naive_pinball_loss", target="disk") or 0.0)


async def test_with_a_day_of_history_yesterdays_value_is_scored() -> None:
    bench = Bench()
    bench.forecaster.history_steps = 300
    bench.history.fill("default/web1", 30.0, length=300)
    await bench.service().forecast([arrived()])
    assert bench.value("argus_forecast_naive_pinball_loss", target="disk") == pytest.approx(5.0)


async def test_forecasts_and_delays_are_counted() -> None:
    bench = Bench()
    await bench.service().forecast([arrived(), Arrived(window("mute", STEP, noise=1.0), 0, 0)])
    assert bench.value("argus_inference_forecasts_total") == 1
    assert bench.value("argus_inference_skipped_windows_total", reason="no_target") == 1
    assert bench.value("argus_inference_withheld_series_total") == 0
    assert bench.value("argus_inference_step_to_forecast_seconds_sum") == pytest.approx(2 * 2.5)
    assert bench.value("argus_inference_window_to_forecast_seconds_bucket", le="2.0") == 1


async def test_the_model_is_told() -> None:
    bench = Bench()
    bench.service()
    assert bench.value("argus_model_info", name="stub", version="7", kind="statistical") == 1


@pytest.mark.parametrize(("kind", "told"), [("statistical", "statistical"), ("tft", "tft"), ("oracle", "unknown")])
async def test_a_kind_of_model_that_readers_do_not_know_is_told_as_unknown(kind: str, told: str) -> None:
    bench = Bench()
    bench.forecaster.kind = kind
    await bench.service().forecast([arrived()])
    assert json.loads(bench.publisher.sent[0].value)["model"] == {
        "name": "stub", "version": "7", "kind": told, "demoted": False, "demoted_targets": []
    }  # fmt: skip
