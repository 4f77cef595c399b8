"""From windows to forecasts that are acknowledged: state, then events; the caller commits offsets."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from argus_common.clock import Clock
from argus_common.events import SCORED_LEADS, Record, WindowClosed
from argus_common.fleet import FleetSums
from argus_common.retry import Backoff, retry
from argus_common.topics import PREDICTIONS
from argus_forecasting.forecaster import Floats
from argus_inference.alerts import AlertService
from argus_inference.domain.backlog import Arrived
from argus_inference.domain.encode import encode_forecasts
from argus_inference.domain.explain import explain
from argus_inference.domain.outcome import Outcome, outcome
from argus_inference.domain.running_trust import RunningTrust
from argus_inference.domain.scoring import RunningScores, kept, score
from argus_inference.domain.series import Targets
from argus_inference.domain.serving import Served, Serving
from argus_inference.domain.trust import FleetOffsets, Lesson, Remembered, beside, lesson, sources_of, to_be_scored
from argus_inference.metrics import InferenceMetrics
from argus_inference.ports import Display, FleetStore, ForecastLedger, HistoryStore, Publisher, TrustStore

SECONDS_PER_DAY = 86_400
IN_FLIGHT = 2
"""Groups at once: one is computed while another is read or published. Bounds memory with ``group_servers``."""

ResultT = TypeVar("ResultT")
Group = Sequence[Arrived]


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything that inference touches. ``executor``: one thread, where all that takes long is done."""

    history: HistoryStore
    fleets: FleetStore
    ledger: ForecastLedger
    publisher: Publisher
    display: Display
    clock: Clock
    executor: Executor
    backoff: Backoff = field(default_factory=Backoff)
    trust: TrustStore = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is forecast. ``group_servers``: so many at once. ``drivers_from_risk``: risk from which a forecast
    says what it was made from, None = never.
    """

    targets: Targets
    horizon: int
    levels: tuple[float, ...]
    group_servers: int
    drivers_from_risk: float | None = None


class ForecastService:
    """Forecasts groups of servers, scores their earlier forecasts, publishes and shows the outcome."""

    def __init__(
        self, plan: Plan, serving: Serving, outside: Outside, metrics: InferenceMetrics, alerts: AlertService
    ) -> None:
        self._plan, self._serving, self._outside, self._metrics = plan, serving, outside, metrics
        self.alerts = alerts
        self._running, self._live, self._offsets = RunningScores(), RunningTrust(), FleetOffsets()
        metrics.show_model(serving.now)

    async def warm_up(self) -> None:
        """Forecast a group of waves for nobody: the first windows are then served as fast as later ones."""
        plan, served = self._plan, self._serving.now
        length = served.forecaster.history_steps
        names = plan.targets.catalogue.names()
        wave = np.outer(np.sin(np.arange(length) / 40) + 2, 10.0 ** (np.arange(len(names)) % 4 - 1))
        window = WindowClosed(
            fleet="-", server="-", step=length, step_seconds=served.step_seconds, samples=1, metrics={}
        )
        rings = np.tile(wave.astype(np.float32), (plan.group_servers, 1, 1))
        shape = (plan.group_servers, len(plan.targets.names), len(SCORED_LEADS), len(plan.levels))
        group = [Arrived(window, 0, 0)] * plan.group_servers
        sources = sources_of(served.forecaster)
        known = Remembered.nothing(len(sources), len(group), len(plan.targets.names), len(plan.levels))
        due = np.zeros(shape, np.float32)
        await self._compute(self._forecast, served, group, rings, due, FleetSums.none(), known)

    async def forecast(self, arrived: Iterable[Arrived]) -> None:
        """Forecast the servers of these windows, each from its window's step.

        Raises:
            TransientError: Redis or Kafka stayed unwell for longer than the retries last.
        """
        gate = asyncio.Semaphore(IN_FLIGHT)
        try:
            async with asyncio.TaskGroup() as tasks:
                done = [tasks.create_task(self._gated(gate, group)) for group in self._groups(arrived)]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        for task in done:
            group, result = task.result()
            await self._compute(self._outside.display.update, result, [one.partition for one in group])
        if done:
            await self.alerts.sweep({one.partition for task in done for one in task.result()[0]})
            self._metrics.show_scores(self._running)
            self._metrics.show_trust(self._live)

    def _groups(self, arrived: Iterable[Arrived]) -> Iterable[Group]:
        """Servers of one fleet and step."""
        alike: dict[tuple[str, int, int], list[Arrived]] = {}
        for one in arrived:
            alike.setdefault((one.window.fleet, one.window.step, one.window.step_seconds), []).append(one)
        size = self._plan.group_servers
        return (group[i : i + size] for group in alike.values() for i in range(0, len(group), size))

    async def _gated(self, gate: asyncio.Semaphore, group: Group) -> tuple[Group, Outcome]:
        async with gate:
            return group, await self._group(group)

    async def _group(self, group: Group) -> Outcome:
        outside, names, step = self._outside, [one.name for one in group], group[0].window.step
        served = self._serving.of_step(group[0].window.step_seconds)
        length = served.forecaster.history_steps
        rings = await self._retry("read rings", lambda: outside.history.read(names, step, length))
        due = await self._retry("read earlier forecasts", lambda: outside.ledger.due(names, step))
        fleet = await self._retry("read the fleet", lambda: outside.fleets.read(group[0].window.fleet, step - 1))
        sources = sources_of(served.forecaster)
        known = await self._retry("read what was learned", lambda: outside.trust.read(sources, names, step))
        result, records, learned, raw = await self._compute(self._forecast, served, group, rings, due, fleet, known)
        rows = kept(result.quantiles, result.seen)
        await self._retry("keep forecasts", lambda: outside.ledger.keep(names, step, rows))
        await self._retry("keep what was learned", lambda: outside.trust.keep(sources, names, step, learned.rows, raw))
        await self._retry("publish forecasts", lambda: outside.publisher.send(PREDICTIONS.name, records))
        self._account(group, result, len(records))
        self._live.add(learned, names, step)
        await self.alerts.follow(result, [one.partition for one in group])
        return result

    def _forecast(
        self, served: Served, group: Group, rings: Floats, due: Floats, fleet: FleetSums, known: Remembered
    ) -> tuple[Outcome, list[Record], Lesson, Floats]:
        plan, windows = self._plan, [one.window for one in group]
        limits, values = plan.targets.limits(windows), plan.targets.values(rings, windows)
        observed, day = values[:, :, -1], SECONDS_PER_DAY // windows[0].step_seconds
        sources = sources_of(served.forecaster)
        learned = lesson(known, observed, windows[0].fleet, sources, self._offsets, plan.targets, plan.levels)
        plain = plan.targets.batch(values, windows, limits, plan.targets.context(rings, windows, fleet))
        batch = replace(plain, trust=learned.trust())
        forecast = served.forecaster.forecast(batch, plan.horizon, plan.levels)
        yesterday = values[:, :, -1 - day] if day < values.shape[2] else np.full_like(observed, np.nan)
        scores = score(due, plan.levels, observed, yesterday)
        result = outcome(windows, values, limits, forecast, scores, plan.targets, learned.demoted)
        why = explain(served.forecaster, batch, result, plan.targets, plan.drivers_from_risk)
        losses = beside(known, observed, plan.levels)
        records = list(encode_forecasts(result, plan.targets, plan.levels, served.reference, why, losses))
        return result, records, learned, to_be_scored(forecast, result.seen)

    def _account(self, group: Group, result: Outcome, published: int) -> None:
        metrics, now = self._metrics, self._outside.clock.now_ms() / 1000
        metrics.forecasts.inc(published)
        metrics.skipped.labels("no_target").inc(len(group) - published)
        metrics.withheld.inc(result.withheld)
        for one in group:
            metrics.since_step.observe(now - one.end)
            metrics.since_window.observe(now - one.timestamp_ms / 1000)
        self._running.add(result.scores, group[0].window.step)

    async def _compute(self, function: Callable[..., ResultT], *arguments: object) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._outside.executor, function, *arguments)

    async def _retry(self, what: str, operation: Callable[[], Awaitable[ResultT]]) -> ResultT:
        return await retry(what, operation, self._outside.backoff)
