"""Puts a promoted model in the place of the one that serves, between two groups; a bad one changes nothing."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from argus_common.clock import Clock
from argus_common.errors import ModelUnavailableError
from argus_common.lineage import ModelEvent
from argus_forecasting.practice import passed, practice
from argus_inference.domain.serving import Served, Serving, misfit
from argus_inference.metrics import InferenceMetrics
from argus_inference.ports import ModelShelf

ResultT = TypeVar("ResultT")

PRACTICE_SERIES = 8
LOOK_AGAIN_SECONDS = 5.0
"""A store may be filled after the promotion was told: a version that is missing is looked for so often."""

_log = logging.getLogger("argus.inference.swap")


@dataclass(frozen=True, slots=True)
class Demands:
    """What a model must be able to do here. ``ring_steps``: history that there is at most."""

    horizon: int
    levels: tuple[float, ...]
    ring_steps: int


class ModelSwap:
    """Loads, checks, tries and switches. ``executor``: a thread of its own, so that forecasts go on meanwhile."""

    def __init__(
        self,
        shelf: ModelShelf,
        serving: Serving,
        demands: Demands,
        executor: Executor,
        metrics: InferenceMetrics,
        clock: Clock,
    ) -> None:
        self._shelf, self._serving, self._demands = shelf, serving, demands
        self._executor, self._metrics, self._clock = executor, metrics, clock
        self._missing: ModelEvent | None = None
        self._not_taken: tuple[str, int] | None = None
        self._look_at = 0.0

    async def follow(self, event: ModelEvent) -> None:
        """Let what the newest event of our model says serve, if it can."""
        self._missing = None
        if await self._there(event):
            await self._try(event)
        else:
            self._wait_for(event)

    async def look_again(self) -> None:
        """Serve a version that was missing, once the store has it; tell of one that can't take what came."""
        self._tell_of_windows_not_taken()
        event = self._missing
        if event is None or self._clock.monotonic() < self._look_at:
            return
        self._look_at = self._clock.monotonic() + LOOK_AGAIN_SECONDS
        if await self._there(event):
            self._missing = None
            await self._try(event)

    def _tell_of_windows_not_taken(self) -> None:
        now, step = self._serving.now, self._serving.step_seconds
        if step is None or now.takes(step) or (told := (now.reference.version, step)) == self._not_taken:
            return
        self._not_taken = told
        self._metrics.swaps.labels("refused").inc()
        _log.error("the model can't take these windows", extra={"model": now.label, "step_seconds": step})

    async def _there(self, event: ModelEvent) -> bool:
        version = event.version
        return version is None or await self._aside(lambda: self._shelf.holds(event.model, version))

    def _wait_for(self, event: ModelEvent) -> None:
        self._missing, self._look_at = event, self._clock.monotonic() + LOOK_AGAIN_SECONDS
        self._told("missing", event, f"not in the store of ARGUS_INFERENCE_MODELS; told of {event.uri or 'no place'}")

    async def _try(self, event: ModelEvent) -> None:
        if (event.model, event.version) == (self._serving.now.reference.name, self._serving.now.reference.version):
            return
        try:
            served = await self._aside(lambda: self._opened(event))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a model, the old one serves on
            self._told("refused", event, str(error))
            return
        before = self._serving.now.label
        self._serving.switch(served)
        self._metrics.show_model(served)
        self._metrics.swaps.labels("swapped").inc()
        _log.info("model swapped", extra={"model": served.label, "before": before, "reason": event.reason})

    def _opened(self, event: ModelEvent) -> Served:
        """The model of the event, checked and tried.

        Raises:
            ModelUnavailableError: it can't serve here.
        """
        if event.version is None:
            return self._shelf.of_settings()
        served = self._shelf.open(event.model, event.version, event.manifest_sha256)
        demands = self._demands
        reason = misfit(served, demands.horizon, demands.ring_steps, self._serving.step_seconds)
        if reason is not None:
            raise ModelUnavailableError(reason)
        batch = practice(served.forecaster.history_steps, served.step_seconds, PRACTICE_SERIES)
        made = served.forecaster.forecast(batch, demands.horizon, demands.levels)
        if not passed(made, len(batch), demands.horizon):
            raise ModelUnavailableError("what it forecasts is not finite, or does not rise with the level")
        return served

    def _told(self, outcome: str, event: ModelEvent, reason: str) -> None:
        self._metrics.swaps.labels(outcome).inc()
        wanted, serves = f"{event.model} {event.version}", self._serving.now.label
        _log.error("model not swapped", extra={"wanted": wanted, "outcome": outcome, "why": reason, "serves": serves})

    async def _aside(self, function: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function)
