"""Ready means connected and progressing; windows that nobody reads end the process."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from argus_common.clock import ManualClock
from argus_common.errors import TransientError
from argus_common.ops import Health
from argus_inference.metrics import InferenceMetrics
from argus_inference.watch import STUCK_AFTER_SECONDS, UNREADY_AFTER_SECONDS, Watch


@dataclass
class Watched:
    """A subscription that is as the test says."""

    waiting: dict[int, int] | None = field(default_factory=dict)
    batches: int = 0
    busy: bool = False
    ticks: int = 0
    on_tick: Callable[[], None] = lambda: None
    failed: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def lag(self) -> dict[int, int] | None:
        return self.waiting

    async def tick(self) -> None:
        self.ticks += 1
        self.on_tick()


@dataclass
class Bench:
    """A watch and what it tells."""

    watched: Watched = field(default_factory=Watched)
    clock: ManualClock = field(default_factory=ManualClock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    redis_there: bool = True

    def __post_init__(self) -> None:
        self.health = Health("kafka", "redis", "progress", clock=self.clock)
        metrics = InferenceMetrics(self.registry, ("disk",))
        self.watch = Watch(self.watched, self.ping, self.health, metrics, self.clock)

    async def ping(self) -> None:
        if not self.redis_there:
            raise TransientError("Redis is away")

    async def look_after(self, seconds: float) -> list[str]:
        self.clock.advance(seconds)
        await self.watch.look()
        return self.health.ready()


async def test_connected_and_read_to_the_end_is_ready() -> None:
    bench = Bench()
    assert bench.health.ready() == ["kafka: not ready", "redis: not ready", "progress: not ready"]
    assert await bench.look_after(0) == []


async def test_a_broker_that_does_not_answer_is_told() -> None:
    bench = Bench(Watched(waiting=None))
    assert await bench.look_after(0) == ["kafka: not ready"]


async def test_a_redis_that_does_not_answer_is_told_until_it_does() -> None:
    bench = Bench(redis_there=False)
    assert await bench.look_after(0) == ["redis: not ready"]
    bench.redis_there = True
    assert await bench.look_after(1) == []


async def test_an_idle_topic_is_no_lack_of_progress() -> None:
    bench = Bench(Watched(waiting={0: 0}))
    assert await bench.look_after(0) == []
    assert await bench.look_after(86_400) == []


async def test_windows_that_wait_while_none_is_read_are_told_then_end_the_process() -> None:
    bench = Bench(Watched(waiting={0: 3, 1: 4}))
    assert await bench.look_after(0) == []
    assert await bench.look_after(UNREADY_AFTER_SECONDS - 1) == []
    assert await bench.look_after(1) == ["progress: not ready"]
    with pytest.raises(TransientError, match="7 windows wait, and none was read for 180 s"):
        await bench.look_after(STUCK_AFTER_SECONDS - UNREADY_AFTER_SECONDS)


async def test_a_batch_that_was_read_is_progress() -> None:
    bench = Bench(Watched(waiting={0: 3}))
    await bench.look_after(0)
    bench.watched.batches += 1
    assert await bench.look_after(STUCK_AFTER_SECONDS) == []


async def test_a_long_batch_is_progress_and_is_not_disturbed() -> None:
    bench = Bench(Watched(waiting={0: 3}, busy=True))
    await bench.look_after(0)
    assert await bench.look_after(STUCK_AFTER_SECONDS) == []
    assert bench.watched.ticks == 0


async def test_an_outage_of_the_broker_is_not_stuckness() -> None:
    bench = Bench(Watched(waiting=None))
    await bench.look_after(0)
    assert await bench.look_after(STUCK_AFTER_SECONDS) == ["kafka: not ready"]


async def test_lag_is_told_of_our_partitions_only() -> None:
    bench = Bench(Watched(waiting={0: 3, 1: 4}))
    await bench.look_after(0)
    bench.watched.waiting = {1: 2}
    await bench.look_after(1)
    assert bench.registry.get_sample_value("argus_inference_lag_records", {"partition": "1"}) == 2
    assert bench.registry.get_sample_value("argus_inference_lag_records", {"partition": "0"}) is None


async def test_each_round_beats_and_lets_the_handler_do_what_is_due() -> None:
    bench = Bench()
    await bench.look_after(0)
    assert await bench.look_after(59) == []
    assert bench.watched.ticks == 2
    assert bench.health.live() == []


async def test_the_watch_ends_when_it_is_told_to() -> None:
    bench, stop = Bench(), asyncio.Event()
    bench.watched.on_tick = stop.set
    await asyncio.wait_for(bench.watch.run(stop), 5)
    assert bench.watched.ticks >= 1


async def test_a_round_that_takes_long_does_not_delay_the_end() -> None:
    bench, stop = Bench(), asyncio.Event()

    async def wait_for_redis() -> None:
        stop.set()
        await asyncio.Event().wait()

    bench.watch.redis_answers = wait_for_redis
    await asyncio.wait_for(bench.watch.run(stop), 5)
    assert bench.health.ready() == ["redis: not ready", "progress: not ready"]


async def test_what_the_subscription_failed_with_ends_the_watch() -> None:
    bench = Bench()
    bench.watched.on_tick = lambda: bench.watched.failed.set_exception(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        await asyncio.wait_for(bench.watch.run(asyncio.Event()), 5)


async def test_a_failing_tick_ends_the_watch() -> None:
    bench = Bench()

    def fail() -> None:
        raise TransientError("Kafka is away")

    bench.watched.on_tick = fail
    with pytest.raises(TransientError):
        await bench.watch.run(asyncio.Event())
