"""Lets challenger, champion and the statistical forecaster forecast the held-out span, and tries the challenger out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from argus_common.clock import Clock
from argus_common.errors import ArgusError
from argus_common.metrics import Catalogue
from argus_forecasting.backtest import Windows, rolling_origins, run
from argus_forecasting.backtest.evaluate import band
from argus_forecasting.batch import Origins, Request, described
from argus_forecasting.forecaster import Forecaster
from argus_forecasting.grid import Grid
from argus_forecasting.practice import passed, practice
from argus_forecasting.scores import coverage, pinball
from argus_forecasting.statistical import AnalogForecaster
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.trained.artefact import load_from, read_manifest, require_unaltered
from argus_forecasting.trained.forecaster import TrainedForecaster
from argus_forecasting.trained.store import ModelStore
from argus_retrainer.domain.gate_figures import CHALLENGER, CHAMPION, STATISTICAL, Mask, TargetFigures

MOST_ORIGINS = 4096
"""Of each target, drawn at random where there are more; bounds time and memory."""
TRIED_SERIES = 128
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Field:
    """Where it is measured: columns ``[begin, end)`` of a trace; ``excluded``: (server, time), None = nothing."""

    store: TraceStore
    begin: int
    excluded: Mask | None


def challenger_and_champion(
    staging: Path, models: ModelStore, name: str, version: str, champion: str | None
) -> tuple[TrainedForecaster, TrainedForecaster | None, str]:
    """Both, and why there is no champion where there is none.

    Raises:
        ModelUnavailableError: the challenger can't be read.
    """
    manifest, network = load_from(ModelStore(staging), name, version)
    challenger = TrainedForecaster(manifest, network)
    if champion is None:
        return challenger, None, "no version serves yet"
    try:
        found = TrainedForecaster(*load_from(models, name, champion))
    except ArgusError as error:
        return challenger, None, f"version {champion} serves, but can't be read: {error}"
    mine, theirs = challenger.manifest.schema, found.manifest.schema
    if (mine.step_seconds, mine.horizon) != (theirs.step_seconds, theirs.horizon):
        return challenger, None, f"version {champion} has another step or horizon"
    return challenger, found, ""


def flaw(staging: Path, name: str, version: str) -> str:
    """What is wrong with a version; empty = it can be trusted and what it forecasts is a forecast."""
    try:
        manifest, network = load_from(ModelStore(staging), name, version)
        place = ModelStore(staging).place(name, version)
        require_unaltered(place, read_manifest(place))
    except ArgusError as error:
        return str(error)
    forecaster = TrainedForecaster(manifest, network)
    batch = practice(forecaster.history_steps, manifest.schema.step_seconds, 8)
    made = forecaster.forecast(batch, manifest.schema.horizon, manifest.schema.levels)
    sound = passed(made, len(batch), manifest.schema.horizon)
    return "" if sound else "what it forecasts is not finite, or does not rise with the level"


def seconds_of(challenger: TrainedForecaster, clock: Clock) -> float:
    """For `TRIED_SERIES` series, the better of two, on one thread."""
    schema = challenger.manifest.schema
    batch = practice(challenger.history_steps, schema.step_seconds, TRIED_SERIES)
    taken = []
    for _ in range(2):
        begin = clock.monotonic()
        challenger.forecast(batch, schema.horizon, schema.levels)
        taken.append(clock.monotonic() - begin)
    return min(taken)


def figures(
    challenger: TrainedForecaster,
    champion: TrainedForecaster | None,
    field: Field,
    catalogue: Catalogue,
    report: Callable[[str], None],
) -> list[TargetFigures]:
    """Of every target of the challenger that the held-out span has."""
    schema, found = challenger.manifest.schema, []
    for target in (name for name in schema.targets if name in field.store.metrics):
        report(target)
        among: dict[str, Forecaster] = {CHALLENGER: challenger, STATISTICAL: AnalogForecaster()}
        if champion is not None and target in champion.manifest.schema.targets:
            among[CHAMPION] = champion
        one = _figures(target, among, field, catalogue, schema.horizon, schema.levels)
        if one is not None:
            found.append(one)
    shared = set.intersection(*(set(one.loss) for one in found)) if found else set()
    return [replace(one, loss={name: one.loss[name] for name in shared}) for one in found]


def _figures(
    target: str,
    among: Mapping[str, Forecaster],
    field: Field,
    catalogue: Catalogue,
    horizon: int,
    levels: tuple[float, ...],
) -> TargetFigures | None:
    store, request = field.store, Request(horizon, levels, {})
    metric, grid = described(target, catalogue, request), store.grid(target)
    origins = _origins(grid, field, horizon)
    windows = run(among, grid, origins, metric, request, lambda _done: None) if len(origins) else None
    if windows is None:
        return None
    day = (store.first_step + windows.column) * store.step_seconds // DAY_SECONDS
    return TargetFigures(
        target,
        {name: _loss(windows, name, levels) for name in among},
        {name: _inside(windows, name, levels) for name in among},
        {name: _brier(windows, name) for name in among},
        windows.server,
        day,
        np.array([store.profile[i] or "generic" for i in windows.server.tolist()], str),
        int(windows.crossed[windows.calm].any(axis=1).sum()),
    )


def _origins(grid: Grid, field: Field, horizon: int) -> Origins:
    found = rolling_origins(grid, field.begin, field.store.length - horizon, max(horizon // 2, 1))
    rows = np.arange(len(found))
    if field.excluded is not None:
        ahead = np.minimum(found.column[:, None] + np.arange(1, horizon + 1)[None], field.store.length - 1)
        rows = rows[~field.excluded[found.server[:, None], ahead].any(axis=1)]
    if len(rows) > MOST_ORIGINS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_ORIGINS, replace=False))
    return Origins(found.server[rows], found.column[rows])


def _loss(windows: Windows, name: str, levels: tuple[float, ...]) -> np.ndarray:
    return np.asarray(np.nansum(pinball(windows.answers[name].quantiles, levels, windows.truth).mean(axis=2), axis=1))


def _inside(windows: Windows, name: str, levels: tuple[float, ...]) -> float:
    return coverage(*band(windows.answers[name].quantiles, levels), windows.truth)


def _brier(windows: Windows, name: str) -> float:
    """Over origins below the limit, and all spans alike."""
    said, happened = windows.answers[name].probability[windows.calm], windows.crossed[windows.calm]
    known = np.isfinite(said)
    return float(((said - happened)[known] ** 2).mean()) if known.any() else float("nan")
