"""A fleet's trainings, a store and a job that do as they are told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from argus_common.clock import ManualClock
from argus_common.events import (
    Event,
    GateResult,
    Headers,
    ModelRolledBack,
    Record,
    encode,
)
from argus_common.ops import Health
from argus_retrainer.domain.archive_day import Day
from argus_retrainer.domain.buffer import Held
from argus_retrainer.domain.live_scores import WatchRules
from argus_retrainer.domain.policy import Rules
from argus_retrainer.domain.spans import Span
from argus_retrainer.job.files import JobFolder, JobResult
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


async def rounds(replica: Retraining, count: int = 4) -> None:
    for _ in range(count):
        await replica.round()
