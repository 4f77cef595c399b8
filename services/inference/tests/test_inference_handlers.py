"""Batches of windows: which are forecast, which buried, and what may be committed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import pytest
from inference_alerts import alert_service
from inference_domain import (
    STEP,
    MemoryPublisher,
    ReadRecord,
    read,
    window,
)
from prometheus_client import CollectorRegistry

from argus_common.clock import ManualClock
from argus_common.errors import DeadLetterFloodError, TransientError
from argus_common.kafka.dead_letters import FloodGuard
from argus_common.retry import Backoff
from argus_inference.domain.backlog import Arrived, Backlog
from argus_inference.handlers import WindowHandler
from argus_inference.metrics import UNREADABLE, InferenceMetrics
from argus_inference.service import ForecastService

QUICK = Backoff(first=1e-9, longest=1e-9, give_up_after=2.5e-9)


class KeepingService(ForecastService):
    """Keeps what it is asked to forecast."""

    def __init__(self) -> None:
        self.forecasts: list[list[tuple[str, int]]] = []
        self.failure: Exception | None = None
        self.alerts = alert_service(MemoryPublisher())

    async def forecast(self, arrived: "list[Arrived]") -> None:  # type: ignore[override]
        if self.failure:
            raise self.failure
        self.forecasts.append([(one.window.server, one.window.step - STEP) for one in arrived])


@dataclass
class Bench:
    """A handler and its outside."""

    service: KeepingService = field(default_factory=KeepingService)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    clock: ManualClock = field(default_factory=ManualClock)
    guard: FloodGuard = field(default_factory=lambda: FloodGuard(max_share=0.5, at_least=4))

    def handler(self) -> WindowHandler:
        metrics = InferenceMetrics(self.registry, ("disk",))
        backlog = Backlog(hold_seconds=5.0)
        return WindowHandler(self.service, self.publisher, backlog, self.guard, metrics, self.clock, QUICK)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


async def test_a_batch_with_nothing_behind_it_is_forecast_and_may_be_committed() -> None:
    bench = Bench()
    batch = [read(4, window("a")), read(5, window("b")), read(7, window("c"), 2)]
    assert await bench.handler().on_windows(batch, {0: 0, 2: 0}) == {0: 6, 2: 8}
    assert bench.service.forecasts == [[("a", 0), ("b", 0), ("c", 0)]]
    assert bench.value("argus_inference_windows_total") == 3
    assert bench.value("argus_inference_batch_duration_seconds_count") == 1


async def test_while_windows_are_queued_nothing_is_forecast_and_nothing_committed() -> None:
    bench = Bench()
    handler = bench.handler()
    assert await handler.on_windows([read(0, window("a", STEP))], {0: 3}) == {}
    assert await handler.on_windows([read(1, window("a", STEP + 1))], {0: 2}) == {}
    assert await handler.on_windows([read(2, window("a", STEP + 2)), read(3, window("b", STEP))], {0: 0}) == {0: 4}
    assert bench.service.forecasts == [[("a", 2), ("b", 0)]]
    assert bench.value("argus_inference_skipped_windows_total", reason="superseded") == 2


async def test_what_is_held_for_too_long_is_forecast_by_the_clock() -> None:
    bench = Bench()
    handler = bench.handler()
    await handler.on_windows([read(0, window("a"))], {0: 3})
    assert await handler.on_tick() == {}
    bench.clock.advance(5.0)
    assert await handler.on_tick() == {0: 1}
    assert bench.service.forecasts == [[("a", 0)]]


async def test_an_unreadable_window_is_buried_and_its_neighbours_are_forecast() -> None:
    bench = Bench()
    batch = [read(0, window("a")), ReadRecord(1, b"{"), read(2, window("b"))]
    assert await bench.handler().on_windows(batch, {0: 0}) == {0: 3}
    assert bench.service.forecasts == [[("a", 0), ("b", 0)]]
    (letter,) = bench.publisher.buried
    headers = dict(letter.headers)
    assert letter.value == b"{"
    assert (headers["argus_reason"], headers["argus_service"]) == (b"not_json", b"inference")
    assert (headers["argus_topic"], headers["argus_offset"]) == (b"argus.windows.v1", b"1")
    assert bench.value("argus_inference_dead_letters_total", reason="not_json") == 1


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (ReadRecord(0, None), "empty"),
        (ReadRecord(0, b"\xff\xfe"), "not_json"),
        (ReadRecord(0, b"[]"), "invalid_field"),
        (ReadRecord(0, read(0, window()).value, headers=[("ce_type", b"io.argus.other.v1")]), "wrong_type"),
        (ReadRecord(0, (read(0, window()).value or b"").replace(b"40.0", b"NaN")), "invalid_field"),
        (ReadRecord(0, (read(0, window()).value or b"").replace(b"5785632", b"99999999999")), "invalid_field"),
    ],
)
async def test_each_kind_of_garbage_has_its_reason(record: ReadRecord, reason: str) -> None:
    bench = Bench()
    assert await bench.handler().on_windows([record], {0: 0}) == {0: 1}
    assert dict(bench.publisher.buried[0].headers)["argus_reason"] == reason.encode()
    assert reason in UNREADABLE


def test_every_counter_is_zero_from_the_start() -> None:
    bench = Bench()
    bench.handler()
    assert [bench.value("argus_inference_dead_letters_total", reason=reason) for reason in UNREADABLE] == [0] * 4
    assert bench.value("argus_inference_skipped_windows_total", reason="superseded") == 0
    assert bench.value("argus_inference_forecasts_total") == 0


async def test_too_many_unreadable_windows_stop_consumption_after_they_were_buried() -> None:
    bench = Bench()
    with pytest.raises(DeadLetterFloodError):
        await bench.handler().on_windows([ReadRecord(n, b"{") for n in range(4)], {0: 0})
    assert len(bench.publisher.buried) == 4
    assert bench.service.forecasts == []


async def test_dead_letters_that_can_not_be_sent_stop_the_batch() -> None:
    bench = Bench()
    bench.publisher.failures = [TransientError("away")] * 9
    with pytest.raises(TransientError):
        await bench.handler().on_windows([ReadRecord(0, b"{"), read(1, window())], {0: 0})
    assert bench.service.forecasts == []


async def test_a_forecast_that_fails_gives_no_offsets_to_commit() -> None:
    bench = Bench()
    bench.service.failure = TransientError("away")
    handler = bench.handler()
    with pytest.raises(TransientError):
        await handler.on_windows([read(0, window())], {0: 0})
    assert not handler.busy


async def test_after_a_rebalance_what_was_held_is_read_again() -> None:
    bench = Bench()
    handler = bench.handler()
    await handler.on_windows([read(0, window("a", STEP + 3))], {0: 9})
    handler.on_assigned([1])
    assert await handler.on_windows([read(4, window("b"), 1)], {1: 0}) == {1: 5}
    assert bench.service.forecasts == [[("b", 0)]]


@dataclass
class KeepingAlerts:
    """Keeps which partitions it is told of."""

    idle: list[set[int]] = field(default_factory=list)
    ours: list[list[int]] = field(default_factory=list)

    async def look_at_idle(self, read_to_the_end: Collection[int]) -> None:
        self.idle.append(set(read_to_the_end))

    def retain(self, partitions: Iterable[int]) -> None:
        self.ours.append(list(partitions))


async def test_alerts_learn_which_partitions_are_ours_and_which_were_read_to_their_end() -> None:
    bench, alerts = Bench(), KeepingAlerts()
    bench.service.alerts = alerts  # type: ignore[assignment]
    handler = bench.handler()
    handler.on_assigned([1, 2])
    await handler.on_tick([2])
    assert (alerts.ours, alerts.idle) == ([[1, 2]], [{2}])
