"""What the active replica does, round by round, with a store and a job that do as they are told."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from argus_common.clock import ManualClock
from argus_common.events import (
    Event,
    GateResult,
    Headers,
    ModelRolledBack,
    Record,
    RetrainRequested,
    TrainingCancelRequested,
    encode,
)
from argus_common.ops import Health
from argus_retrainer.domain.archive_day import Day
from argus_retrainer.domain.attend import MOST_LAUNCHES
from argus_retrainer.domain.buffer import Held
from argus_retrainer.domain.live_scores import WatchRules
from argus_retrainer.domain.policy import Rules
from argus_retrainer.domain.spans import Span
from argus_retrainer.job.files import JobFolder, JobProgress, JobResult
from argus_retrainer.metrics import TrainingMetrics
from argus_retrainer.orders import order
from argus_retrainer.retraining import Outside, Plan, Retraining
from argus_retrainer.settings import RetrainerSettings

HOUR_MS = 3_600_000
SHA = "0" * 64
GATE = GateResult(passed=True, held_out_from_ms=0, held_out_until_ms=1, windows=1, servers=1, checks=[])


@dataclass(frozen=True)
class Told:
    value: bytes
    headers: Headers
    timestamp: int = 0


@dataclass
class Topic:
    """A topic in memory; whoever follows it has a place in it."""

    records: list[Told] = field(default_factory=list)

    async def send(self, topic: str, records: Sequence[Record]) -> None:
        assert topic == "argus.models.v1"
        self.records += [Told(record.value, record.headers) for record in records]

    def put(self, event: Event) -> None:
        record = encode(event, "/test")
        self.records.append(Told(record.value, record.headers))

    def kinds(self) -> list[str]:
        names = [dict(record.headers)["ce_type"].decode() for record in self.records]
        return [name.removeprefix("io.argus.").removesuffix(".v1") for name in names]


@dataclass
class Follower:
    topic: Topic
    at: int = 0
    stopped: bool = False

    async def begin(self, since_ms: int | None = None) -> None:
        del since_ms
        self.at, self.stopped = 0, False

    async def caught_up(self) -> bool:
        return self.at >= len(self.topic.records)

    async def poll(self) -> list[Told]:
        found, self.at = self.topic.records[self.at :], len(self.topic.records)
        return found

    async def stop(self) -> None:
        self.stopped = True


@dataclass
class Place:
    """Where leases are kept."""

    holder: object = None
    training: bytes = b""


@dataclass
class FakeLease:
    place: Place

    async def hold(self) -> bool:
        self.place.holder = self.place.holder or self
        return self.place.holder is self

    async def claim(self, training: bytes) -> bool:
        if self.place.holder is not self:
            return False
        self.place.training = training
        return True

    async def claimed(self) -> bytes | None:
        return self.place.training or None

    async def release(self) -> None:
        if self.place.holder is self:
            self.place.holder = None


@dataclass
class FakeLauncher:
    running: set[str] = field(default_factory=set)
    launched: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    async def launch(self, version: str) -> None:
        self.running.add(version)
        self.launched.append(version)

    async def runs(self, version: str) -> bool:
        return version in self.running

    async def cancel(self, version: str) -> None:
        self.running.discard(version)
        self.cancelled.append(version)


@dataclass(frozen=True)
class Files:
    files: tuple[str, ...] = ("x",)
    size: int = 1


@dataclass
class FakeArchive:
    count: int = 30

    def days(self) -> dict[Day, Files]:
        return {Day(300, "eu", date(2026, 1, 1) + timedelta(days=i)): Files() for i in range(self.count)}

    def add(self, partition: int, held: Held) -> int:
        raise NotImplementedError

    def compact(self, day: Day, files: tuple[str, ...]) -> bool:
        raise NotImplementedError

    def drop(self, day: Day, files: tuple[str, ...]) -> None:
        raise NotImplementedError


@dataclass
class FakeSpans:
    spans: set[Span] = field(default_factory=set)

    def kept(self, more: set[Span]) -> set[Span]:
        self.spans |= more
        return self.spans


@dataclass
class FakeVersions:
    tidied: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)

    def tidy(self, trained: Sequence[str], served: Sequence[str]) -> None:
        self.tidied.append((tuple(trained), tuple(served)))

    def rollback(self, served: Sequence[str], reason: str, at_ms: int) -> ModelRolledBack:
        before = served[-2] if len(served) > 1 else None
        sha = None if before is None else SHA
        return ModelRolledBack(
            model="fleet", version=before, manifest_sha256=sha, withdrawn_version=served[-1], reason=reason,
            by="retrainer", rolled_back_ms=at_ms,
        )  # fmt: skip


@dataclass
class World:
    """What outlives a replica."""

    folder: Path
    topic: Topic = field(default_factory=Topic)
    forecasts: Topic = field(default_factory=Topic)
    place: Place = field(default_factory=Place)
    launcher: FakeLauncher = field(default_factory=FakeLauncher)
    archive: FakeArchive = field(default_factory=FakeArchive)
    versions: FakeVersions = field(default_factory=FakeVersions)
    clock: ManualClock = field(default_factory=ManualClock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def replica(self) -> Retraining:
        self.registry = CollectorRegistry()
        settings = RetrainerSettings(models=self.folder / "models", work=self.folder / "work")
        outside = Outside(
            Follower(self.topic),
            Follower(self.forecasts),
            FakeLease(self.place),
            self.launcher,
            self.topic,
            self.archive,
            FakeSpans(),
            self.versions,
            self.clock,
            Health(),
        )
        plan = Plan(
            "fleet", Rules(), WatchRules(least=50), partial(order, settings), 12 * HOUR_MS, self.folder / "work"
        )
        return Retraining(plan, outside, TrainingMetrics(self.registry))

    def crashed(self) -> None:
        """The replica that was active is gone, and its lease has run out."""
        self.place.holder = None

    def job(self) -> JobFolder:
        return JobFolder(self.folder / "work" / self.launcher.launched[-1])

    def job_ends(self, outcome: str = "passed") -> None:
        self.launcher.running.clear()
        gate = GATE.model_copy(update={"passed": outcome == "passed"}) if outcome != "failed" else None
        made = {"outcome": outcome, "ended_ms": self.clock.now_ms(), "family": "residual", "manifest_sha256": SHA}
        told = {"reason": "data", "detail": "too short"} if gate is None else {}
        self.job().write_result(JobResult.model_validate({**made, **told, "gate": gate}))

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"argus_retrainer_{name}", labels)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def rounds(replica: Retraining, count: int = 4) -> None:
    for _ in range(count):
        await replica.round()


async def test_a_training_is_told_claimed_launched_and_promoted_once(world: World) -> None:
    replica = world.replica()
    await rounds(replica)
    assert world.topic.kinds() == ["training.started"]
    assert len(world.launcher.launched) == 1
    ordered = world.job().order()
    assert ordered is not None
    assert (ordered.model, ordered.champion, ordered.version) == ("fleet", None, world.launcher.launched[0])
    world.job().write_progress(JobProgress("training", 40, 100, 0.5))
    await rounds(replica)
    assert (world.value("training"), world.value("training_steps")) == (1, 40)
    world.job_ends()
    await rounds(replica)
    assert world.topic.kinds() == ["training.started", "model.promoted"]
    assert world.place.training == b""
    assert world.versions.tidied == [((ordered.version,), (ordered.version,))]
    assert (world.value("training"), world.value("outcomes_total", outcome="model.promoted")) == (0, 1)


@pytest.mark.parametrize(("outcome", "kind"), [("rejected", "model.rejected"), ("failed", "training.failed")])
async def test_a_job_that_ends_otherwise_is_told_so(world: World, outcome: str, kind: str) -> None:
    replica = world.replica()
    await rounds(replica)
    world.job_ends(outcome)
    await rounds(replica)
    assert world.topic.kinds()[:2] == ["training.started", kind]


async def test_only_one_of_two_replicas_is_active(world: World) -> None:
    first, second = world.replica(), world.replica()
    await first.round()
    await rounds(second)
    assert world.topic.kinds() == ["training.started"]
    assert world.launcher.launched == []
    world.crashed()
    await rounds(second)
    assert len(world.launcher.launched) == 1


async def test_a_replica_that_lost_the_lease_ends_its_job_and_begins_nothing(world: World) -> None:
    first = world.replica()
    await rounds(first)
    world.place.holder = "another"
    await rounds(first)
    assert world.launcher.cancelled == world.launcher.launched
    assert world.topic.kinds() == ["training.started"]


async def test_killed_between_claim_and_event_the_claimed_training_is_told_by_the_next(world: World) -> None:
    first = world.replica()
    await first.round()
    claimed, told = world.place.training, world.topic.records.pop()
    world.crashed()
    world.clock.advance(60)
    await rounds(world.replica())
    assert world.topic.records == [told]
    assert world.place.training == claimed


async def test_killed_after_the_end_was_told_the_claim_is_given_up_and_nothing_told_twice(world: World) -> None:
    first = world.replica()
    await rounds(first)
    claimed = world.place.training
    world.job_ends()
    await rounds(first)
    world.place.training = claimed
    world.crashed()
    await rounds(world.replica())
    assert world.topic.kinds() == ["training.started", "model.promoted"]
    assert world.place.training == b""


async def test_a_redis_that_was_emptied_is_told_again_what_is_trained(world: World) -> None:
    first = world.replica()
    await rounds(first)
    world.place = Place()
    await rounds(world.replica())
    assert b"started_ms" in world.place.training
    assert world.topic.kinds() == ["training.started"]
    assert len(world.launcher.launched) == 1, "its job runs"


async def test_a_job_that_died_is_started_again_a_few_times(world: World) -> None:
    replica = world.replica()
    for _ in range(MOST_LAUNCHES + 3):
        await rounds(replica)
        world.launcher.running.clear()
    assert len(world.launcher.launched) == MOST_LAUNCHES
    assert world.topic.kinds()[:2] == ["training.started", "training.failed"]


async def test_a_training_that_takes_too_long_is_ended(world: World) -> None:
    replica = world.replica()
    await rounds(replica)
    world.clock.advance(12 * 3600 + 1)
    await rounds(replica)
    assert world.launcher.cancelled == world.launcher.launched
    assert json.loads(world.topic.records[1].value)["reason"] == "time_limit"


async def test_a_cancel_ends_the_training_and_its_cause(world: World) -> None:
    world.topic.put(RetrainRequested(model="fleet", requested_ms=world.clock.now_ms()))
    replica = world.replica()
    await rounds(replica)
    world.topic.put(TrainingCancelRequested(model="fleet", requested_ms=world.clock.now_ms(), by="ann"))
    await rounds(replica)
    assert "training.failed" in world.topic.kinds()
    assert world.launcher.running == set()
    assert world.value("pending_causes") == 0


async def test_a_refusal_is_told_once_whoever_is_active(world: World) -> None:
    world.archive.count = 3
    await rounds(world.replica())
    world.crashed()
    await rounds(world.replica())
    assert world.topic.kinds() == ["retrain.refused"]
    assert json.loads(world.topic.records[0].value)["reason"] == "too_little_data"


def forecast(version: str, step: int, model: float) -> Told:
    score = {"target": "cpu_used_pct", "model_pinball": model, "statistical_pinball": 1.0}
    body = {"fleet": "eu", "server": "a", "origin": 5_785_632 + step, "step_seconds": 300, "risk": 0.0}
    served = {"model": {"name": "fleet", "version": version}, "scores": [score]}
    return Told(json.dumps(body | served).encode(), [])


async def test_a_version_that_does_worse_than_it_promised_is_rolled_back_once(world: World) -> None:
    world.topic.put(RetrainRequested(model="fleet", requested_ms=world.clock.now_ms()))
    replica = world.replica()
    await rounds(replica)
    world.job_ends()
    await rounds(replica)
    version = world.launcher.launched[0]
    world.forecasts.records += [forecast(version, step, 2.0) for step in range(100)]
    await rounds(replica)
    assert world.topic.kinds()[1:4] == ["training.started", "model.promoted", "model.rolled_back"]
    told = json.loads(world.topic.records[3].value)
    assert (told["version"], told["withdrawn_version"]) == (None, version)
    assert told["reason"] == "live loss 2.00 times that of the statistical forecaster, 1.15 is allowed"
    world.crashed()
    await rounds(world.replica())
    refused = [json.loads(record.value) for record in world.topic.records[4:]]
    assert {(one["cause"]["kind"], one["reason"]) for one in refused} == {
        ("command", "cool_down"),
        ("age", "cool_down"),
    }
    assert len(refused) == 2, "what it was trained for stands again, after the cool-down"


async def test_a_version_that_does_well_serves_on(world: World) -> None:
    replica = world.replica()
    await rounds(replica)
    world.job_ends()
    await rounds(replica)
    world.forecasts.records += [forecast(world.launcher.launched[0], step, 0.9) for step in range(100)]
    await rounds(replica)
    assert world.topic.kinds() == ["training.started", "model.promoted"]
    assert world.value("live_loss_ratio") == pytest.approx(0.9)
