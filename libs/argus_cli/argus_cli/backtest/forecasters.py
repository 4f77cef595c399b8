"""Who forecasts which stretch of a trace: one forecaster all of it, or a model that is trained anew for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress, TaskID

from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.backtest.evaluate import STATISTICAL
from argus_forecasting.forecaster import Forecaster
from argus_forecasting.statistical import AnalogForecaster
from argus_forecasting.trace_store import TraceStore

MODEL = "model"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Columns ``[begin, end)`` and who forecasts from the origins in it, by name; the statistical one always does."""

    begin: int
    end: int
    forecasters: Mapping[str, Forecaster]


Plan = Sequence[Stretch]


def fixed(forecaster: Forecaster, begin: int, end: int) -> Plan:
    """The same forecaster everywhere, with the statistical one beside it."""
    return [Stretch(begin, end, _beside_statistical(forecaster))]


@dataclass(frozen=True, slots=True)
class Retraining:
    """A model of ``targets`` every ``days`` days, each with ``steps`` optimiser steps from scratch."""

    targets: tuple[str, ...]
    days: int
    steps: int
    horizon: int


def cadence(store: TraceStore, asked: Retraining, begin: int, end: int, scratch: Path, progress: Progress) -> Plan:
    """A model trained anew for each stretch of ``[begin, end)``, on what was known at its beginning.

    Raises:
        ConfigurationError: too little was known at the first beginning.
    """
    from argus_forecasting.training.cadence import blocks, retrained  # noqa: PLC0415 - torch takes seconds
    from argus_forecasting.training.presets import PRESETS, auto, device  # noqa: PLC0415
    from argus_forecasting.training.run import Order, Reports, with_steps  # noqa: PLC0415

    settings = with_steps(auto(PRESETS["residual", "small"], device()), asked.steps)
    order = Order("backtest", "retrained", "1970-01-01T00:00:00Z", asked.targets, settings, horizon=asked.horizon)
    plan = []
    parts = list(blocks(begin, end, asked.days, store.step_seconds))
    for number, block in enumerate(parts, start=1):
        task = progress.add_task(f"training {number} of {len(parts)}", total=settings.steps, unit="steps")
        reports = Reports(lambda _text: None, _step_bar(progress, task), lambda _windows: None)
        model = retrained(store, DEFAULT_CATALOGUE, order, block, scratch / "models", reports)
        progress.update(task, completed=settings.steps)
        plan.append(Stretch(block.begin, block.end, _beside_statistical(model)))
    return plan


def _step_bar(progress: Progress, task: TaskID) -> Callable[[int, int, dict[str, float]], None]:
    def step(done: int, _steps: int, _losses: dict[str, float]) -> None:
        progress.update(task, completed=done)

    return step


def _beside_statistical(forecaster: Forecaster) -> dict[str, Forecaster]:
    if forecaster.kind == "statistical":
        return {STATISTICAL: forecaster}
    return {MODEL: forecaster, STATISTICAL: AnalogForecaster()}
