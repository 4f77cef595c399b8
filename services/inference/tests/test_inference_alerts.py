"""What is told of alerts, in which order, and that a crash anywhere neither loses nor doubles it."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from inference_alerts import QUICK, MemoryAlerts, alert_service
from inference_domain import LEVELS, STEP, STEP_SECONDS, TARGETS, MemoryPublisher, StubForecaster, window
from prometheus_client import CollectorRegistry

from argus_common.clock import ManualClock
from argus_common.errors import TransientError
from argus_common.events import (
    SCORED_LEADS,
    AlertEvent,
    BreachEnded,
    BreachExpected,
    BreachMitigated,
    BreachUpdated,
    MaintenanceScheduled,
    Record,
    decode_any,
)
from argus_inference.domain.mitigation import Mitigations
from argus_inference.domain.outcome import Outcome, outcome
from argus_inference.domain.scoring import score

CALM, LIKELY = (0.0, 0.0, 0.0, 0.0), (0.2, 0.5, 0.6, 0.7)
HOUR = 12
ALERT = f"default/web1/disk/high/{STEP_SECONDS}/{STEP}"


def forecast_of(
    step: int, chance: tuple[float, ...] = CALM, disk: float = 40.0, server: str = "web1", fleet: str = "default"
) -> Outcome:
    """The forecast of one server whose disk crosses 90 with this chance."""
    windows = [window(server, step, fleet, "generic", disk=disk, idle=40.0)]
    values = np.array([[windows[0].metrics.get(name, np.nan) for name in TARGETS.names]], np.float32)
    limits = TARGETS.limits(windows)
    made = StubForecaster().forecast(TARGETS.batch(values[:, :, None], windows, limits), 96, LEVELS)
    made.breach_probability[:] = 0
    made.breach_probability[TARGETS.names.index("disk")] = chance
    nothing = np.full((1, len(TARGETS.names), len(SCORED_LEADS), len(LEVELS)), np.nan, np.float32)
    scores = score(nothing, LEVELS, values, np.full_like(values, np.nan))
    return outcome(windows, values[:, :, None], limits, made, scores, TARGETS)


@dataclass
class Bench:
    """Alerts over a store, a publisher and a clock in memory."""

    store: MemoryAlerts = field(default_factory=MemoryAlerts)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    mitigations: Mitigations = field(default_factory=Mitigations)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.store.log = self.publisher.log
        self.restart()

    def restart(self) -> None:
        """Another process, which remembers nothing."""
        self.registry = CollectorRegistry()
        self.service = alert_service(self.publisher, self.registry, self.store, self.mitigations, self.clock)
        self.service.backoff = QUICK

    async def at(self, step: int, chance: tuple[float, ...] = CALM, disk: float = 40.0, partition: int = 0) -> None:
        await self.service.follow(forecast_of(STEP + step, chance, disk), [partition])

    def events(self) -> list[AlertEvent]:
        return [event_of(record) for record in self.publisher.sent]

    def told(self) -> list[str]:
        """Kind of each event, with its outcome or phase."""
        return [short(event) for event in self.events()]

    def value(self, series: str, /, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"argus_inference_{series}", labels)


def event_of(record: Record) -> AlertEvent:
    return decode_any((BreachExpected, BreachUpdated, BreachEnded), record)


def short(event: AlertEvent) -> str:
    if isinstance(event, BreachEnded):
        return f"ended {event.outcome}"
    kind = "raised" if isinstance(event, BreachExpected) else "updated"
    assert isinstance(event, BreachExpected | BreachUpdated)
    return f"{kind} {event.phase}"


async def test_a_likely_breach_is_told_with_all_that_is_known_of_it() -> None:
    bench = Bench()
    await bench.at(0, LIKELY, disk=80.0)
    (event,) = bench.events()
    assert isinstance(event, BreachExpected)
    assert (event.alert, event.id(), event.key(), event.sequence) == (ALERT, ALERT + "/0", "web1", 0)
    assert (event.limit, event.harm, event.origin, event.since, event.crossed) == (90, 1, STEP, STEP, None)
    assert (event.phase, event.within, event.observed) == ("expected", "1h", 80.0)
    assert event.probability == {"15m": 0.2, "1h": 0.5, "4h": 0.6, "8h": 0.7}
    assert (event.time_to_threshold.p10, event.time_to_threshold.p50) == (1800, None)
    assert [point.lead_seconds for point in event.band] == [900, 3600, 14_400, 28_800]
    assert (event.band[0].p10, event.band[0].p90) == (79.0, 81.0)
    assert (event.risk, event.level) == (50.0, "degraded")
    assert event.reason == "disk will be at or above 90 within 1h with 50%, now 80"


async def test_the_course_of_a_breach_that_was_foretold() -> None:
    bench = Bench()
    await bench.at(0, LIKELY, disk=80.0)
    await bench.at(1, LIKELY, disk=85.0)
    await bench.at(2, LIKELY, disk=92.0)
    for step in range(3, 3 + HOUR):
        await bench.at(step, CALM, disk=50.0)
    assert bench.told() == ["raised expected", "updated breached", "ended hit"]
    assert {event.alert for event in bench.events()} == {ALERT}
    assert [event.sequence for event in bench.events()] == [0, 1, 2]
    crossing, end = bench.events()[1:]
    assert isinstance(crossing, BreachUpdated)
    assert isinstance(end, BreachEnded)
    assert (crossing.crossed, crossing.level, crossing.reason) == (
        STEP + 2,
        "critical",
        "disk is at or above 90 since 2025-01-01 00:10 UTC, now 92; it was foretold",
    )
    assert (end.lead_time_seconds, end.crossed, end.peak_probability) == (600, STEP + 2, 0.5)


async def test_a_breach_that_nobody_foretold_is_told_as_breached_and_ends_as_late() -> None:
    bench = Bench()
    for step in range(3):
        await bench.at(step, CALM, disk=95.0)
    for step in range(3, 3 + HOUR):
        await bench.at(step, CALM)
    assert bench.told() == ["raised breached", "ended late"]
    first, end = bench.events()
    assert isinstance(first, BreachExpected)
    assert isinstance(end, BreachEnded)
    assert (first.crossed, first.since, first.within) == (STEP, STEP + 2, "")
    assert first.reason.endswith("nobody was told before")
    assert end.lead_time_seconds is None


async def test_an_alert_that_moves_is_told_again_after_a_quarter_of_an_hour_and_every_hour() -> None:
    bench = Bench()
    await bench.at(0, LIKELY)
    for step in range(1, 3 + HOUR):
        await bench.at(step, (0.3, 0.75, 0.8, 0.8))
    assert [(short(e), e.origin - STEP) for e in bench.events()] == [
        ("raised expected", 0),
        ("updated expected", 3),
    ]
    await bench.at(3 + HOUR, (0.3, 0.75, 0.8, 0.8))
    assert bench.events()[-1].origin == STEP + 3 + HOUR


async def test_state_and_its_events_are_kept_together_before_the_events_are_sent_and_forgotten_after() -> None:
    bench = Bench()
    await bench.at(0, LIKELY)
    assert bench.publisher.log == ["alerts kept", "sent to argus.alerts.v1", "alerts kept"]
    assert bench.store.kept["7:default/web1"][3] == []
    await bench.at(1, LIKELY)
    assert bench.publisher.log[3:] == ["alerts kept"]


class CrashError(Exception):
    """The process dies here."""


async def test_a_crash_before_the_state_is_kept_is_as_if_nothing_had_been_read() -> None:
    bench, calm = Bench(), Bench()
    await calm.at(0, LIKELY)
    bench.store.failures = [CrashError()]
    with pytest.raises(CrashError):
        await bench.at(0, LIKELY)
    bench.restart()
    await bench.at(0, LIKELY)
    assert bench.publisher.sent == calm.publisher.sent


@pytest.mark.parametrize("next_step", [0, 1, 5])
async def test_a_crash_between_state_and_events_sends_the_same_bytes_later_whatever_window_comes_next(
    next_step: int,
) -> None:
    bench, calm = Bench(), Bench()
    await calm.at(0, LIKELY)
    bench.publisher.failures = [CrashError()]
    with pytest.raises(CrashError):
        await bench.at(0, LIKELY)
    bench.restart()
    await bench.at(next_step, LIKELY)
    assert bench.publisher.sent == calm.publisher.sent
    assert bench.store.kept["7:default/web1"][3] == []


async def test_a_crash_after_the_acknowledgement_sends_the_same_bytes_again() -> None:
    bench = Bench()
    bench.store.failures = [None, CrashError()]
    with pytest.raises(CrashError):
        await bench.at(0, LIKELY)
    bench.restart()
    await bench.at(0, LIKELY)
    first, again = bench.publisher.sent
    assert first == again
    await bench.at(1, LIKELY)
    assert len(bench.publisher.sent) == 2


async def test_a_step_that_was_decided_is_not_decided_again_by_another_forecast() -> None:
    bench = Bench()
    await bench.at(0, CALM)
    before = bench.store.kept["7:default/web1"][2].tobytes()
    await bench.at(0, LIKELY)
    await bench.at(-1, LIKELY)
    assert bench.publisher.sent == []
    assert bench.store.kept["7:default/web1"][2].tobytes() == before


async def test_a_transient_fault_is_retried_and_one_that_lasts_is_raised() -> None:
    bench = Bench()
    bench.publisher.failures = [TransientError("away")]
    await bench.at(0, LIKELY)
    assert bench.told() == ["raised expected"]
    bench.publisher.failures = [TransientError("away")] * 20
    with pytest.raises(TransientError):
        await bench.at(1, LIKELY, disk=95.0)


async def test_another_step_length_begins_anew() -> None:
    bench = Bench()
    await bench.at(0, LIKELY)
    other = forecast_of(STEP + 1, LIKELY)
    other = replace(other, windows=[other.windows[0].model_copy(update={"step_seconds": 60})])
    await bench.service.follow(other, [0])
    assert [event.alert for event in bench.events()] == [ALERT, f"default/web1/disk/high/60/{STEP + 1}"]


async def test_who_acts_on_an_alert_ends_it_as_mitigated() -> None:
    bench = Bench()
    await bench.at(0, LIKELY)
    bench.mitigations.add(BreachMitigated(alert=ALERT, requested_ms=0))
    await bench.at(1, LIKELY)
    await bench.at(2, LIKELY)
    assert bench.told() == ["raised expected", "ended mitigated"]


@pytest.mark.parametrize("server", ["web1", None])
async def test_nothing_is_raised_during_maintenance_and_what_stands_is_mitigated(server: str | None) -> None:
    bench = Bench()
    begin, end = (STEP + 2) * STEP_SECONDS * 1000, (STEP + 20) * STEP_SECONDS * 1000
    bench.mitigations.add(MaintenanceScheduled(server=server, start_ms=begin, end_ms=end))
    bench.mitigations.add(MaintenanceScheduled(fleet="other", start_ms=0, end_ms=end))
    await bench.at(0, LIKELY)
    for step in range(1, 18):
        await bench.at(step, LIKELY, disk=95.0 if step > 3 else 40.0)
    assert bench.told() == ["raised expected", "ended mitigated"]


async def test_a_server_that_stays_behind_its_fleet_for_an_hour_ends_as_unknown() -> None:
    bench = Bench()
    await bench.at(0, LIKELY)
    for step in range(1, HOUR + 1):
        await bench.service.follow(forecast_of(STEP + step, server="web2"), [0])
        await bench.service.sweep([0])
        assert bench.told() == (["raised expected"] if step < HOUR else ["raised expected", "ended unknown"])
    await bench.service.sweep([0])
    assert len(bench.publisher.sent) == 2
    assert bench.store.index == {0: set()}
    assert bench.events()[-1].origin == STEP


@pytest.mark.parametrize(("partition", "fleet"), [(1, "default"), (0, "other")])
async def test_other_partitions_and_other_fleets_say_nothing_about_silence(partition: int, fleet: str) -> None:
    bench = Bench()
    await bench.at(0, LIKELY)
    await bench.service.follow(forecast_of(STEP + 50, server="web2", fleet=fleet), [partition])
    await bench.service.sweep([0, 1])
    assert bench.told() == ["raised expected"]


async def test_a_crash_while_ending_a_silent_server_sends_the_end_later_and_once_more_is_nothing() -> None:
    bench = Bench()
    await bench.at(0, LIKELY)
    await bench.service.follow(forecast_of(STEP + 20, server="web2"), [0])
    bench.publisher.failures = [CrashError()]
    with pytest.raises(CrashError):
        await bench.service.sweep([0])
    bench.restart()
    await bench.service.follow(forecast_of(STEP + 21, server="web2"), [0])
    await bench.service.sweep([0])
    await bench.service.sweep([0])
    assert bench.told() == ["raised expected", "ended unknown"]


async def test_a_partition_where_nobody_sends_any_more_is_judged_by_its_fleet_elsewhere() -> None:
    bench = Bench()
    bench.service.retain([0])
    await bench.at(0, LIKELY)
    other = alert_service(MemoryPublisher(), store=bench.store, clock=bench.clock)
    await other.follow(forecast_of(STEP + 30, server="web2"), [1])
    bench.clock.advance(100)
    await other.look_at_idle([1])
    await bench.service.look_at_idle([])
    assert bench.told() == ["raised expected"], "what waits to be read may be anything"
    bench.clock.advance(100)
    await bench.service.look_at_idle([0])
    assert bench.told() == ["raised expected", "ended unknown"]


async def test_idle_partitions_are_looked_at_later_where_redis_does_not_answer() -> None:
    bench = Bench()
    bench.service.retain([0])
    await bench.at(0, LIKELY)
    bench.store.times["default"] = (STEP + 30) * STEP_SECONDS
    bench.clock.advance(100)
    bench.store.failures = [TransientError("away")]
    await bench.service.look_at_idle([0])
    assert bench.told() == ["raised expected"]
    bench.clock.advance(100)
    await bench.service.look_at_idle([0])
    assert bench.told() == ["raised expected", "ended unknown"]


async def test_after_a_rebalance_the_next_owner_goes_on_with_the_same_alert() -> None:
    bench = Bench()
    await bench.at(0, LIKELY)
    bench.restart()
    bench.service.retain([0])
    await bench.at(1, LIKELY, disk=95.0)
    assert [event.id() for event in bench.events()] == [ALERT + "/0", ALERT + "/1"]


async def test_the_gauges_and_the_ledger_tell_what_stands_and_how_it_ended() -> None:
    bench = Bench()
    assert bench.value("alerts_open", target="disk", level="critical") == 0
    assert bench.value("alerts_ended_total", target="disk", outcome="mitigated") == 0
    await bench.at(0, LIKELY, disk=80.0)
    await bench.service.sweep([0])
    assert bench.value("alerts_open", target="disk", level="degraded") == 1
    await bench.at(1, LIKELY, disk=95.0)
    await bench.service.sweep([0])
    assert bench.value("alerts_open", target="disk", level="critical") == 1
    for step in range(2, 2 + HOUR):
        await bench.at(step)
    await bench.at(2 + HOUR, LIKELY)
    for step in range(3 + HOUR, 3 + 2 * HOUR):
        await bench.at(step)
    await bench.service.sweep([0])
    assert bench.told()[-4:] == ["ended hit", "raised expected", "updated expected", "ended false"]
    assert bench.value("alerts_open", target="disk", level="critical") == 0
    assert bench.value("alerts_raised_total", target="disk") == 2
    assert bench.value("alerts_ended_total", target="disk", outcome="hit") == 1
    assert bench.value("alert_lead_time_seconds_sum", target="disk") == 300
    assert bench.value("alert_precision_ratio", target="disk") == 0.5
    assert bench.value("alert_recall_ratio", target="disk") == 1.0
    assert np.isnan(bench.value("alert_precision_ratio", target="idle") or 0.0)
    days = (3 + 2 * HOUR) * STEP_SECONDS / 86_400
    assert bench.value("false_alarms_per_server_day", target="disk") == pytest.approx(1 / days)


async def test_alerts_of_servers_that_are_another_replicas_now_are_not_shown() -> None:
    bench = Bench()
    await bench.at(0, LIKELY, disk=80.0)
    await bench.service.sweep([0])
    bench.service.retain([1])
    assert bench.value("alerts_open", target="disk", level="degraded") == 0


async def test_names_may_be_made_of_anything() -> None:
    bench = Bench()
    await bench.service.follow(forecast_of(STEP, LIKELY, server="a/b", fleet="eu/north"), [0])
    await bench.service.follow(forecast_of(STEP + 20, server="c", fleet="eu/north"), [0])
    await bench.service.sweep([0])
    assert bench.told() == ["raised expected", "ended unknown"]
    assert json.loads(bench.publisher.sent[1].value)["server"] == "a/b"
