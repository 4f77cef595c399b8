"""Rolling-origin backtest of a forecaster beside naive and seasonal naive, without looking ahead."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from argus_common.metrics import Metric
from argus_forecasting.alarms.episodes import WarningScores
from argus_forecasting.batch import Origins, Request, forecasts
from argus_forecasting.forecaster import WITHIN_MINUTES, Floats, Forecaster
from argus_forecasting.grid import Grid
from argus_forecasting.scores import brier_skill, coverage, mase, pinball, reliability, seasonal_error, wql

Doubles = npt.NDArray[np.float64]

ENOUGH_OBSERVED = 0.8
"""Of the history and of the horizon; other windows are left out."""
RESAMPLES = 500
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Windows:
    """Scored windows of one metric. ``truth``: (window, lead). ``quantiles``: (window, lead, level). ``naive``,
    ``seasonal``: (window, lead). ``season_error``: (window,). ``server``: (window,). ``probability``, ``crossed``:
    (window, within), NaN / False without a limit. ``calm``: (window,) below its limit at the origin. ``chances``:
    (origin, within) the breach probabilities of all origins, scored or not.
    """

    truth: Floats
    quantiles: Floats
    naive: Floats
    seasonal: Floats
    season_error: Doubles
    server: npt.NDArray[np.int64]
    probability: Floats
    crossed: npt.NDArray[np.bool_]
    calm: npt.NDArray[np.bool_]
    chances: Floats


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one metric. Losses relative to a baseline are ratios: below 1 is better than it."""

    windows: int
    wql: float
    wql_naive: float
    wql_seasonal_naive: float
    relative: tuple[float, float, float]
    """Geometric mean over servers of the loss relative to seasonal naive, with a 90 % interval over servers."""
    mase: float
    mase_median: float
    coverage: float
    coverage_by_lead: list[float]
    loss_by_lead: list[float]
    naive_loss_by_lead: list[float]
    breach: Mapping[str, "BreachScores"] = field(default_factory=dict)
    alarms: Mapping[str, WarningScores] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BreachScores:
    """How breach probabilities did, over origins that were below the limit."""

    base_rate: float
    brier_skill: float
    reliability: list[tuple[float, float, int]]


def rolling_origins(grid: Grid, first: int, every: int, horizon: int) -> Origins:
    """Every ``every``-th column from ``first`` on whose horizon lies inside the grid, for every server."""
    columns = np.arange(first, grid.values.shape[1] - horizon, every)
    servers = np.arange(len(grid.servers))
    return Origins(np.tile(servers, len(columns)), np.repeat(columns, len(servers)))


def run(
    forecaster: Forecaster,
    grid: Grid,
    origins: Origins,
    metric: Metric,
    request: Request,
    report: Callable[[int], None],
) -> Windows | None:
    """Forecast all origins and keep what is needed to score them; None where no window is observed enough.

    ``report`` is called with the number of origins done.
    """
    parts = []
    for part, result in forecasts(forecaster, grid, origins, metric, request):
        history = grid.histories(part.server, part.column, forecaster.history_steps)
        ahead = grid.histories(part.server, part.column + request.horizon, request.horizon)
        observed = np.isfinite(history[:, -_day(grid) :]).mean(axis=1) >= ENOUGH_OBSERVED
        chosen = observed & (np.isfinite(ahead).mean(axis=1) >= ENOUGH_OBSERVED) & np.isfinite(history[:, -1])
        crossed, calm = _crossed(ahead, history[:, -1], metric, grid.step_seconds)
        parts.append(
            Windows(
                ahead[chosen],
                result.quantiles[chosen],
                np.repeat(history[chosen, -1:], request.horizon, axis=1),
                _seasonal(history[chosen], _day(grid), request.horizon),
                seasonal_error(history[chosen], _day(grid)),
                part.server[chosen],
                result.breach_probability[chosen],
                crossed[chosen],
                calm[chosen],
                result.breach_probability,
            )
        )
        report(len(part))
    windows = Windows(*(np.concatenate([getattr(p, name) for p in parts]) for name in Windows.__dataclass_fields__))
    return windows if len(windows.truth) else None


def evaluate(windows: Windows, levels: tuple[float, ...], metric: Metric, seed: int = 0) -> Scores:
    """Scores of these windows."""
    steps = np.asarray(levels)
    median = windows.quantiles[:, :, int(np.argmin(np.abs(steps - 0.5)))]
    low, high = windows.quantiles[:, :, 0], windows.quantiles[:, :, -1]
    if 0.1 in levels and 0.9 in levels:
        low, high = windows.quantiles[:, :, levels.index(0.1)], windows.quantiles[:, :, levels.index(0.9)]
    truth = windows.truth
    errors = mase(median, truth, windows.season_error)
    loss = 2 * pinball(windows.quantiles, levels, truth).mean(axis=2)
    return Scores(
        len(truth),
        wql(windows.quantiles, levels, truth),
        wql(windows.naive[:, :, None], (0.5,), truth),
        wql(windows.seasonal[:, :, None], (0.5,), truth),
        _relative(loss, np.abs(truth - windows.seasonal), windows.server, seed),
        float(np.nanmean(errors)),
        float(np.nanmedian(errors)),
        coverage(low, high, truth),
        [coverage(low[:, k], high[:, k], truth[:, k]) for k in range(truth.shape[1])],
        np.nanmean(loss, axis=0).tolist(),
        np.nanmean(np.abs(truth - windows.naive), axis=0).tolist(),
        _breaches(windows) if metric.limit is not None else {},
    )


def _day(grid: Grid) -> int:
    return max(DAY_SECONDS // grid.step_seconds, 1)


def _seasonal(history: Floats, day: int, horizon: int) -> Floats:
    """(window, lead) the value at the same time of the last day; the last known value where that is missing."""
    last = history[:, -day:] if history.shape[1] >= day else history
    repeats = -(-horizon // last.shape[1])
    seasonal = np.tile(last, (1, repeats))[:, :horizon]
    return np.where(np.isnan(seasonal), history[:, -1:], seasonal)


def _crossed(
    ahead: Floats, now: Floats, metric: Metric, step_seconds: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    if metric.limit is None:
        return np.zeros((len(ahead), len(WITHIN_MINUTES)), bool), np.zeros(len(ahead), bool)
    sign = metric.harm or 1
    beyond = np.nan_to_num(ahead * sign, nan=-np.inf) >= metric.limit * sign
    leads = [min(max(m * 60 // step_seconds, 1), ahead.shape[1]) for m in WITHIN_MINUTES]
    return np.column_stack([beyond[:, :k].any(axis=1) for k in leads]), now * sign < metric.limit * sign


def _breaches(windows: Windows) -> dict[str, BreachScores]:
    found = {}
    for column, minutes in enumerate(WITHIN_MINUTES):
        p, happened = windows.probability[windows.calm, column], windows.crossed[windows.calm, column]
        if len(p):
            found[f"{minutes} min"] = BreachScores(
                float(happened.mean()), brier_skill(p, happened), reliability(p, happened)
            )
    return found


def _relative(loss: Doubles, baseline: Floats, server: npt.NDArray[np.int64], seed: int) -> tuple[float, float, float]:
    """Geometric mean over servers of loss relative to the baseline, and its 90 % bootstrap interval over servers."""
    names, index = np.unique(server, return_inverse=True)
    ours = np.bincount(index, np.nansum(loss, axis=1), len(names)) + 1e-6
    theirs = np.bincount(index, np.nansum(baseline, axis=1), len(names)) + 1e-6
    logs = np.log(ours / theirs)
    drawn = np.random.default_rng(seed).integers(0, len(logs), (RESAMPLES, len(logs)))
    low, high = np.quantile(logs[drawn].mean(axis=1), (0.05, 0.95))
    return float(np.exp(logs.mean())), float(np.exp(low)), float(np.exp(high))
