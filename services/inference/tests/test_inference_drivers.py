"""Drivers of servers at risk: told when asked for, of the target that weighs most, and of nobody else."""

from datetime import UTC, datetime

from inference_alerts import alert_service
from inference_domain import (
    LEVELS,
    STEP,
    TARGETS,
    InlineExecutor,
    MemoryDisplay,
    MemoryFleets,
    MemoryHistory,
    MemoryLedger,
    MemoryPublisher,
    MemoryTrust,
    StubForecaster,
    serving_of,
    window,
)
from prometheus_client import CollectorRegistry

from argus_common.clock import ManualClock
from argus_common.events import Driver, ForecastIssued
from argus_forecasting.drivers import Driver as Found
from argus_forecasting.forecaster import Floats, SeriesBatch
from argus_inference.domain.backlog import Arrived
from argus_inference.metrics import InferenceMetrics
from argus_inference.service import ForecastService, Outside, Plan


class Explaining(StubForecaster):
    """Says that the moment an hour ago mattered, and how high the series is now."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Floats] = []

    def drivers(self, batch: SeriesBatch, horizon: int) -> tuple[tuple[Found, ...], ...]:
        assert horizon == 96
        self.asked.append(batch.values[:, -1])
        drivers = Found("noise", 0.75, None, 4.56789), Found("a moment", 0.5, STEP - 12)
        return (drivers,) * len(batch)


async def told(
    forecaster: StubForecaster, from_risk: float | None, **levels: dict[str, float]
) -> dict[str, ForecastIssued]:
    """What is published of servers with these targets."""
    publisher = MemoryPublisher()
    outside = Outside(
        MemoryHistory(),
        MemoryFleets(),
        MemoryLedger(),
        publisher,
        MemoryDisplay(),
        ManualClock(0),
        InlineExecutor(),
        trust=MemoryTrust(),
    )
    plan = Plan(TARGETS, 96, LEVELS, 8, from_risk)
    metrics = InferenceMetrics(CollectorRegistry(), TARGETS.names)
    alerts = alert_service(MemoryPublisher(), clock=ManualClock(0))
    service = ForecastService(plan, serving_of(forecaster), outside, metrics, alerts)
    await service.forecast([Arrived(window(server, **metrics), 0, 0) for server, metrics in levels.items()])
    events = [ForecastIssued.model_validate_json(record.value) for record in publisher.sent]
    return {event.server: event for event in events}


FULL = {"disk": 95.0, "idle": 9.0}


async def test_servers_at_risk_are_told_with_what_mattered_and_the_calm_ones_without() -> None:
    forecaster = Explaining()
    found = await told(forecaster, 60.0, calm={"disk": 1.0, "idle": 90.0}, full=FULL)
    assert found["full"].risk >= 60 > found["calm"].risk
    assert found["calm"].drivers == []
    assert found["full"].drivers == [
        Driver(target="disk", input="noise", weight=0.75, effect=4.568),
        Driver(target="disk", input="a moment", weight=0.5, moment=datetime(2024, 12, 31, 23, tzinfo=UTC)),
    ]
    assert [asked.tolist() for asked in forecaster.asked] == [[95.0]]


async def test_the_target_that_adds_most_to_the_risk_is_explained() -> None:
    found = await told(Explaining(), 0.0, full=FULL, starved={"disk": 1.0, "idle": 1.0})
    assert {server: event.drivers[0].target for server, event in found.items()} == {"full": "disk", "starved": "idle"}


async def test_a_server_without_any_limit_that_may_be_crossed_has_no_drivers() -> None:
    found = await told(Explaining(), 0.0, free={"free": 5.0})
    assert found["free"].drivers == []


async def test_nobody_asks_by_default() -> None:
    forecaster = Explaining()
    found = await told(forecaster, None, full=FULL)
    assert (found["full"].drivers, forecaster.asked) == ([], [])


async def test_a_forecaster_that_can_not_say_gives_none() -> None:
    assert (await told(StubForecaster(), 0.0, full=FULL))["full"].drivers == []
