"""From the windows of a batch to forecasts that are acknowledged: state, then events; the caller commits offsets."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

import numpy as np

from argus_common.events import ModelReference, WindowClosed
from argus_common.retry import Backoff, retry
from argus_common.topics import PREDICTIONS
from argus_forecasting.forecaster import Floats, ForecastBatch, Forecaster
from argus_inference.adapters.prometheus_page import ForecastPage
from argus_inference.domain.encode import encode_forecasts
from argus_inference.domain.outcome import Outcome, outcome
from argus_inference.domain.scoring import SCORED_LEADS, RunningScores, score
from argus_inference.domain.series import Targets
from argus_inference.metrics import InferenceMetrics
from argus_inference.ports import HistoryStore, Ledger, Publisher

ResultT = TypeVar("ResultT")


class ForecastService:
    """Forecasts groups of servers, scores their earlier forecasts, publishes and shows the outcome."""

    def __init__(
        self,
        targets: Targets,
        forecaster: Forecaster,
        history: HistoryStore,
        ledger: Ledger,
        publisher: Publisher,
        page: ForecastPage,
        metrics: InferenceMetrics,
        executor: Executor,
        *,
        horizon: int,
        levels: tuple[float, ...],
        chunk_servers: int,
        backoff: Backoff | None = None,
    ) -> None:
        self._targets, self._forecaster = targets, forecaster
        self._history, self._ledger, self._publisher = history, ledger, publisher
        self._page, self._metrics, self._executor = page, metrics, executor
        self._horizon, self._levels, self._chunk = horizon, levels, chunk_servers
        self._backoff = backoff or Backoff()
        self._running = RunningScores(len(targets.metrics))
        kind = "statistical" if forecaster.kind == "statistical" else "unknown"
        self._model = ModelReference(name=forecaster.name, version=forecaster.version, kind=kind)
        metrics.model.info({"name": forecaster.name, "version": forecaster.version, "kind": forecaster.kind})

    async def forecast(self, windows: Iterable[WindowClosed]) -> None:
        """Forecast the servers of these windows, each from its window's step.

        Raises:
            TransientError: Redis or Kafka stayed unwell for longer than the retries last.
        """
        groups: dict[tuple[str, int, int], list[WindowClosed]] = {}
        for window in windows:
            groups.setdefault((window.fleet, window.step, window.step_seconds), []).append(window)
        for group in groups.values():
            for begin in range(0, len(group), self._chunk):
                await self._group(group[begin : begin + self._chunk])

    async def _group(self, windows: Sequence[WindowClosed]) -> None:
        names = [f"{window.fleet}/{window.server}" for window in windows]
        step, length = windows[0].step, self._forecaster.history_steps
        rings = await self._retry("read rings", lambda: self._history.read(names, step, length))
        earlier = await self._retry(
            "read earlier forecasts", lambda: self._ledger.read_steps(names, [step - lead for lead in SCORED_LEADS])
        )
        result = await asyncio.get_running_loop().run_in_executor(
            self._executor, self._compute, windows, rings, earlier
        )
        rows = self._ledger_rows(result)
        steps = np.full(len(names), step, np.int64)
        await self._retry("keep forecasts", lambda: self._ledger.write(names, steps, rows))
        records = await asyncio.get_running_loop().run_in_executor(
            self._executor, lambda: list(encode_forecasts(result, self._targets, self._levels, self._model))
        )
        await self._retry("publish forecasts", lambda: self._publisher.send(PREDICTIONS.name, records))
        await asyncio.get_running_loop().run_in_executor(self._executor, self._page.update, result)
        self._metrics.forecasts.inc(len(records))
        self._observe(result)

    def _compute(self, windows: Sequence[WindowClosed], rings: Floats, earlier: Floats) -> Outcome:
        limits = self._targets.limits(windows)
        observed = rings[:, -1, self._targets.columns]
        batch = self._targets.batch(rings, windows, limits)
        forecast: ForecastBatch = self._forecaster.forecast(batch, self._horizon, self._levels)
        made = earlier.reshape(len(windows), len(SCORED_LEADS), len(self._targets.metrics), len(SCORED_LEADS), -1)
        due = np.stack([made[:, k, :, k] for k in range(len(SCORED_LEADS))], axis=2)
        return outcome(windows, observed, limits, forecast, score(due, self._levels, observed), self._targets)

    def _ledger_rows(self, result: Outcome) -> Floats:
        """(server, target × lead × level) what later steps will be scored against."""
        leads = [min(lead, self._horizon) - 1 for lead in SCORED_LEADS]
        rows = result.quantiles[:, :, leads].copy()
        rows[:, :, [lead > self._horizon for lead in SCORED_LEADS]] = np.nan
        return rows.reshape(len(result.windows), -1)

    def _observe(self, result: Outcome) -> None:
        self._running.add(result.scores)
        for t, name in enumerate(self._targets.names):
            for k, lead in enumerate(SCORED_LEADS):
                if not np.isnan(self._running.coverage[t, k]):
                    self._metrics.coverage.labels(name, str(lead)).set(self._running.coverage[t, k])
                    self._metrics.pinball.labels(name, str(lead)).set(self._running.pinball[t, k])

    async def _retry(self, what: str, operation: Callable[[], Awaitable[ResultT]]) -> ResultT:
        return await retry(what, operation, self._backoff)
