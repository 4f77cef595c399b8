"""The one active replica: hears causes, begins trainings, attends to their jobs, tells how they ended."""

import asyncio
import logging
from asyncio import Event as Flag
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from argus_common.clock import Clock
from argus_common.events import RetrainRefused, TrainingCause, TrainingStarted, encode
from argus_common.lineage import ModelTopicEvent
from argus_common.ops import Health
from argus_common.retry import Backoff, retry
from argus_common.topics import MODELS
from argus_retrainer.aftercare import Aftercare
from argus_retrainer.domain.attend import JobState, attend
from argus_retrainer.domain.live_scores import WatchRules
from argus_retrainer.domain.policy import Decision, Facts, Rules, decide
from argus_retrainer.endings import ending, failed
from argus_retrainer.handlers import Heard
from argus_retrainer.job.files import JobFolder, JobOrder
from argus_retrainer.metrics import TrainingMetrics
from argus_retrainer.ports import Archive, EventBox, Launcher, Lease, SpanStore, Topics, Versions

SOURCE = "/argus/retrainer"
PAUSE_SECONDS = 1.0
POLLS_PER_ROUND = 20
"""Forecasts come in large numbers; the lease must be prolonged between."""
ARCHIVE_LOOK_SECONDS = 60.0

ResultT = TypeVar("ResultT")

_log = logging.getLogger("argus.retrainer")


@dataclass(frozen=True, slots=True)
class Plan:
    """Which model, under which rules. ``order``: what to train for a training. ``limit_ms``: how long it may take."""

    model: str
    rules: Rules
    watch: WatchRules
    order: Callable[[TrainingStarted], JobOrder]
    limit_ms: int
    work: Path


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything that retraining touches. ``topics``: what tells of causes; ``forecasts``: what tells how it goes."""

    topics: Topics
    forecasts: Topics
    lease: Lease
    launcher: Launcher
    events: EventBox
    archive: Archive
    spans: SpanStore
    versions: Versions
    clock: Clock
    health: Health
    backoff: Backoff = field(default_factory=Backoff)


class Retraining:
    """Does nothing while another replica holds the lease; who takes it over reads the topics anew."""

    def __init__(self, plan: Plan, outside: Outside, metrics: TrainingMetrics) -> None:
        self._plan, self._outside, self._metrics = plan, outside, metrics
        self._heard: Heard | None = None
        self._aftercare = Aftercare(plan.model, plan.watch)
        self._archive_days, self._look_at = 0, 0.0
        self._stage = ""

    async def run(self, stop: Flag) -> None:
        """Until ``stop`` is set; a job that runs is ended then, and goes on from its checkpoint at the next start."""
        while not stop.is_set():
            await self.round()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE_SECONDS)
        await self._stand_down()
        await self._outside.lease.release()

    async def round(self) -> None:
        """One look at everything."""
        with self._outside.health.waiting("redis", "hold the lease"):
            ours = await self._retry("hold the lease", self._outside.lease.hold)
        if not ours:
            await self._stand_down()
            return
        heard = self._heard or await self._begin()
        heard.on_records(await self._retry("follow topics", self._outside.topics.poll))
        await self._follow_forecasts(heard)
        training = await self._current(heard)
        if training is None:
            await self._consider(heard)
        else:
            await self._attend(heard, training)
        await self._roll_back_if_worse(heard)
        self._observe(heard)

    async def _follow_forecasts(self, heard: Heard) -> None:
        self._aftercare.watch(heard.history.promotion(), self._outside.clock.now_ms())
        for _ in range(POLLS_PER_ROUND):
            records = await self._retry("follow forecasts", self._outside.forecasts.poll)
            if not records:
                break
            self._aftercare.on_forecasts(records)

    async def _begin(self) -> Heard:
        """Read all that was told before."""
        outside, heard = self._outside, Heard(self._plan.model)
        await self._retry("read topics", outside.topics.begin)
        while not await self._retry("read topics", outside.topics.caught_up):
            heard.on_records(await self._retry("read topics", outside.topics.poll))
            await self._retry("hold the lease", outside.lease.hold)
        promotion, now = heard.history.promotion(), outside.clock.now_ms()
        self._aftercare = Aftercare(self._plan.model, self._plan.watch)
        since = self._aftercare.since_ms(promotion, now)
        await self._retry("read forecasts", lambda: outside.forecasts.begin(since))
        self._heard = heard
        _log.info("active", extra={"model": self._plan.model, "serves": (heard.history.lineage() or ("none",))[-1]})
        return heard

    async def _stand_down(self) -> None:
        """Another replica is active, or none: what runs here ends, for it would not be attended to."""
        heard, self._heard = self._heard, None
        if heard is None:
            return
        running = heard.history.running()
        if running is not None:
            await self._outside.launcher.cancel(running.version)
        await self._outside.topics.stop()
        await self._outside.forecasts.stop()
        self._metrics.active.set(0)

    async def _current(self, heard: Heard) -> TrainingStarted | None:
        """The training that is claimed, told of if it was not; the one that the topic knows, claimed if it was not."""
        lease = self._outside.lease
        raw = await self._retry("read the claim", lease.claimed)
        claimed = TrainingStarted.model_validate_json(raw) if raw else None
        if claimed is not None and heard.history.has_ended(claimed.version):
            await self._retry("end the claim", lambda: lease.claim(b""))
            await self._tidied(heard, claimed.version)
            return None
        if claimed is not None and heard.history.running() != claimed:
            await self._tell(heard, claimed)
        running = heard.history.running()
        if claimed is not None or running is None:
            return running
        ours = await self._retry("claim", lambda: lease.claim(running.model_dump_json().encode()))
        return running if ours else None

    async def _consider(self, heard: Heard) -> None:
        decision = await self._decision(heard)
        now = self._outside.clock.now_ms()
        for one in decision.refusals:
            told = {"cause": one.cause, "reason": one.reason, "detail": one.detail, "refused_ms": now}
            await self._tell(heard, RetrainRefused.model_validate({"model": self._plan.model, **told}))
            self._metrics.refused.labels(one.reason).inc()
        if decision.start:
            await self._start(heard, decision.start)

    async def _decision(self, heard: Heard) -> Decision:
        clock = self._outside.clock
        if clock.monotonic() >= self._look_at:
            self._look_at = clock.monotonic() + ARCHIVE_LOOK_SECONDS
            self._archive_days = await self._aside("list the archive", self._days)
        now = clock.now_ms()
        facts = Facts(now, self._archive_days, self._aftercare.fleets.at_risk(), heard.cascades.open(now))
        answered = heard.history.answered()
        asked, useless = heard.causes.pending(answered), heard.causes.useless(answered)
        self._metrics.causes.set(len(asked))
        return decide(asked, heard.history, facts, self._plan.rules, useless)

    def _days(self) -> int:
        fleets: dict[tuple[int, str], int] = {}
        for day in self._outside.archive.days():
            fleets[day.step_seconds, day.fleet] = fleets.get((day.step_seconds, day.fleet), 0) + 1
        return max(fleets.values(), default=0)

    async def _start(self, heard: Heard, causes: tuple[TrainingCause, ...]) -> None:
        now = self._outside.clock.now_ms()
        version = f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dt%H%M%Sz}"
        champion = (heard.history.lineage() or (None,))[-1]
        model = self._plan.model
        training = TrainingStarted(model=model, version=version, causes=list(causes), champion=champion, started_ms=now)
        if await self._retry("claim", lambda: self._outside.lease.claim(training.model_dump_json().encode())):
            await self._tell(heard, training)
            _log.info("training", extra={"model": model, "version": version, "causes": [c.id for c in causes]})

    async def _attend(self, heard: Heard, training: TrainingStarted) -> None:
        outside, folder = self._outside, JobFolder(self._plan.work / training.version)
        result, now = folder.result(), outside.clock.now_ms()
        job = JobState(result is not None, await outside.launcher.runs(training.version), folder.launches())
        cancel = heard.causes.cancel_of(training.started_ms)
        step = attend(training, job, cancel=cancel, now_ms=now, limit_ms=self._plan.limit_ms)
        self._show(folder)
        if step == "launch":
            await self._launch(heard, training, folder)
        elif step == "finish" and result is not None:
            await self._end(heard, ending(training, result, heard.history.lineage()))
        elif step == "cancel" and cancel is not None:
            await outside.launcher.cancel(training.version)
            told = ": ".join(text for text in (cancel.by, cancel.reason) if text)
            await self._end(heard, failed(training, "cancelled", told, now))
        elif step == "expire":
            await outside.launcher.cancel(training.version)
            await self._end(
                heard, failed(training, "time_limit", f"longer than {self._plan.limit_ms // 60_000} min", now)
            )
        elif step == "give_up":
            await self._end(heard, failed(training, "crashed", folder.tail(), now))

    async def _launch(self, heard: Heard, training: TrainingStarted, folder: JobFolder) -> None:
        if folder.order() is None:
            spans = await self._aside("keep spans", lambda: self._outside.spans.kept(heard.spans.all()))
            folder.write_spans(spans)
            folder.write_order(self._plan.order(training))
        folder.count_launch()
        await self._outside.launcher.launch(training.version)
        _log.info("job started", extra={"version": training.version, "launch": folder.launches()})

    async def _end(self, heard: Heard, event: ModelTopicEvent) -> None:
        await self._tell(heard, event)
        outcome = event.type.removeprefix("io.argus.").removesuffix(".v1")
        self._metrics.ended.labels(outcome).inc()
        _log.info("training ended", extra={"outcome": outcome, "event": event.id()})

    async def _tidied(self, heard: Heard, version: str) -> None:
        """What the training has left behind, and versions that are too many."""
        await asyncio.to_thread(JobFolder(self._plan.work / version).clear)
        history = heard.history
        await asyncio.to_thread(self._outside.versions.tidy, history.versions(), history.lineage())

    async def _roll_back_if_worse(self, heard: Heard) -> None:
        if not self._aftercare.worse():
            return
        ratio = self._aftercare.ratio() or 0.0
        reason = (
            f"live loss {ratio:.2f} times that of the statistical forecaster, {self._plan.watch.bound:.2f} is allowed"
        )
        now = self._outside.clock.now_ms()
        event = self._outside.versions.rollback(heard.history.lineage(), reason, now)
        await self._end(heard, event)
        self._aftercare.watch(None, now)

    async def _tell(self, heard: Heard, event: ModelTopicEvent | TrainingStarted) -> None:
        """Publish, and know it at once: it comes back with the topic."""
        await self._retry("publish", lambda: self._outside.events.send(MODELS.name, [encode(event, SOURCE)]))
        heard.history.add(event)

    def _show(self, folder: JobFolder) -> None:
        progress = folder.progress()
        self._metrics.steps.set(progress.done)
        self._metrics.steps_planned.set(progress.total)
        if progress.stage != self._stage:
            self._stage = progress.stage
            _log.info("training is " + (progress.stage or "beginning"), extra={"step": progress.done})

    def _observe(self, heard: Heard) -> None:
        metrics, ratio = self._metrics, self._aftercare.ratio()
        metrics.active.set(1)
        metrics.unreadable.set(heard.unreadable + self._aftercare.unreadable)
        metrics.training.set(heard.history.running() is not None)
        metrics.live_ratio.set(float("nan") if ratio is None else ratio)

    async def _retry(self, what: str, operation: Callable[[], Awaitable[ResultT]]) -> ResultT:
        return await retry(what, operation, self._outside.backoff)

    async def _aside(self, what: str, operation: Callable[[], ResultT]) -> ResultT:
        async def once() -> ResultT:
            return await asyncio.to_thread(operation)

        return await self._retry(what, once)
