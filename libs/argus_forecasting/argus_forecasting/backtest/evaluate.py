"""Scores of forecasts, over all leads and by lead, alone and beside the baselines."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.metrics import Metric
from argus_forecasting.backtest.compare import Blocks, Ratio, pooled, typical
from argus_forecasting.backtest.windows import Answers, Windows
from argus_forecasting.forecaster import WITHIN_MINUTES, Floats, Ints
from argus_forecasting.scores import brier_skill, coverage, mase, pinball, reliability

Doubles = npt.NDArray[np.float64]

STATISTICAL, NAIVE, SEASONAL = "statistical", "naive", "seasonal naive"
"""Names of the baselines: the analogs, the last value, yesterday's value."""


@dataclass(frozen=True, slots=True)
class BreachScores:
    """How breach probabilities did, over origins that were below the limit."""

    base_rate: float
    brier_skill: float
    reliability: list[tuple[float, float, int]]


@dataclass(frozen=True, slots=True)
class ForecastScores:
    """Of one forecaster. ``wql_by_lead``: weighted quantile loss of each lead, over the leads' own truth."""

    wql: float
    mase: float
    mase_median: float
    coverage: float
    wql_by_lead: list[float]
    coverage_by_lead: list[float]
    breach: Mapping[str, BreachScores]


@dataclass(frozen=True, slots=True)
class PointScores:
    """Of a baseline that gives one value: its absolute error is its quantile loss at every level."""

    wql: float
    mase: float
    wql_by_lead: list[float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A forecaster's losses over a baseline's, with 90 % intervals. ``typical``: geometric mean over servers."""

    wql: Ratio
    typical: Ratio
    mase: Ratio


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one metric. ``relative``: forecaster → baseline → ratios; below 1 is better than the baseline."""

    windows: int
    servers: int
    days: int
    forecasters: Mapping[str, ForecastScores]
    baselines: Mapping[str, PointScores]
    relative: Mapping[str, Mapping[str, Comparison]]


@dataclass(frozen=True, slots=True)
class _Losses:
    """``loss``: (window, lead), NaN = no truth. ``scaled``: (window,) MASE."""

    loss: Doubles
    scaled: Doubles


def evaluate(windows: Windows, levels: tuple[float, ...], metric: Metric, day: Ints) -> Scores:
    """Scores of these windows, of every forecaster among their answers.

    Args:
        windows: at least one.
        levels: of the quantiles.
        metric: with its limit.
        day: (window,) number of the day that each origin lies in.
    """
    losses = {name: _of_quantiles(windows, answers, levels) for name, answers in windows.answers.items()}
    points = {
        NAIVE: _of_points(windows, np.broadcast_to(windows.naive[:, None], windows.truth.shape)),
        SEASONAL: _of_points(windows, windows.seasonal),
    }
    blocks = Blocks.of(windows.server, day)
    beside = {name: [SEASONAL] if name == STATISTICAL or STATISTICAL not in losses else [SEASONAL, STATISTICAL]
              for name in losses}  # fmt: skip
    everyone = {**losses, **points}
    return Scores(
        len(windows),
        blocks.servers,
        blocks.days,
        {n: _scores(windows, a, losses[n], levels, metric) for n, a in windows.answers.items()},
        {name: _point_scores(windows, found) for name, found in points.items()},
        {
            name: {other: _compare(losses[name], everyone[other], blocks) for other in others}
            for name, others in beside.items()
        },
    )


def _of_quantiles(windows: Windows, answers: Answers, levels: tuple[float, ...]) -> _Losses:
    loss = 2 * pinball(answers.quantiles, levels, windows.truth).mean(axis=2)
    return _Losses(loss, mase(_median(answers.quantiles, levels), windows.truth, windows.season_error))


def _of_points(windows: Windows, points: Floats) -> _Losses:
    error = np.abs(windows.truth - points).astype(np.float64)
    return _Losses(error, mase(points, windows.truth, windows.season_error))


def _scores(
    windows: Windows, answers: Answers, losses: _Losses, levels: tuple[float, ...], metric: Metric
) -> ForecastScores:
    low, high = band(answers.quantiles, levels)
    truth = windows.truth
    return ForecastScores(
        _wql(losses.loss, truth),
        *_mean_and_median(losses.scaled),
        coverage(low, high, truth),
        _by_lead(losses.loss, truth),
        [coverage(low[:, k], high[:, k], truth[:, k]) for k in range(truth.shape[1])],
        _breaches(windows, answers) if metric.limit is not None else {},
    )


def _point_scores(windows: Windows, losses: _Losses) -> PointScores:
    mean, _ = _mean_and_median(losses.scaled)
    return PointScores(_wql(losses.loss, windows.truth), mean, _by_lead(losses.loss, windows.truth))


def _compare(ours: _Losses, theirs: _Losses, blocks: Blocks) -> Comparison:
    one, other = np.nansum(ours.loss, axis=1), np.nansum(theirs.loss, axis=1)
    return Comparison(
        pooled(one, other, blocks), typical(one, other, blocks), pooled(ours.scaled, theirs.scaled, blocks)
    )


def band(quantiles: Floats, levels: tuple[float, ...]) -> tuple[Floats, Floats]:
    """(window, lead) lower and upper end of the 10–90 % band; of the outermost levels where those two are not given."""
    low, high = (levels.index(0.1), levels.index(0.9)) if {0.1, 0.9} <= set(levels) else (0, -1)
    return quantiles[:, :, low], quantiles[:, :, high]


def _median(quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    middle: Floats = quantiles[:, :, int(np.argmin(np.abs(np.asarray(levels) - 0.5)))]
    return middle


def _wql(loss: Doubles, truth: Floats) -> float:
    total = float(np.nansum(np.abs(truth)))
    return float(np.nansum(loss)) / total if total else float("nan")


def _by_lead(loss: Doubles, truth: Floats) -> list[float]:
    return [_wql(loss[:, k], truth[:, k]) for k in range(truth.shape[1])]


def _mean_and_median(scaled: Doubles) -> tuple[float, float]:
    known = scaled[np.isfinite(scaled)]
    return (float(known.mean()), float(np.median(known))) if len(known) else (float("nan"), float("nan"))


def _breaches(windows: Windows, answers: Answers) -> dict[str, BreachScores]:
    found = {}
    for column, minutes in enumerate(WITHIN_MINUTES):
        p, happened = answers.probability[windows.calm, column], windows.crossed[windows.calm, column]
        if len(p):
            found[f"{minutes} min"] = BreachScores(
                float(happened.mean()), brier_skill(p, happened), reliability(p, happened)
            )
    return found
