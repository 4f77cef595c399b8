"""Forecasts from rolling origins with what came, several forecasters over the very same windows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from argus_common.metrics import Metric
from argus_forecasting.batch import Origins, Request, forecasts
from argus_forecasting.forecaster import WITHIN_MINUTES, Floats, ForecastBatch, Forecaster, Ints
from argus_forecasting.grid import Grid
from argus_forecasting.scores import seasonal_error

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ENOUGH_OBSERVED = 0.8
"""Of the last day and of the horizon; other windows are left out."""
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Answers:
    """What one forecaster said. ``quantiles``: (window, lead, level). ``probability``: (window, within) that the limit
    is crossed within `WITHIN_MINUTES`, NaN = no limit.
    """

    quantiles: Floats
    probability: Floats


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one metric. ``answers``: what was said of them, by the forecaster's name.

    ``server``, ``column``: (window,) of the grid; the column is the origin. ``truth``: (window, lead), NaN = missing.
    ``naive``: (window,) the last value. ``seasonal``: (window, lead) yesterday's. ``season_error``: (window,).
    ``crossed``: (window, within) whether the limit was. ``calm``: (window,) below its limit at the origin.
    """

    answers: Mapping[str, Answers]
    server: Ints
    column: Ints
    truth: Floats
    naive: Floats
    seasonal: Floats
    season_error: Doubles
    crossed: Mask
    calm: Mask

    def __len__(self) -> int:
        return len(self.truth)

    def part(self, rows: Mask | Ints) -> "Windows":
        """Some of them."""
        answers = {name: Answers(a.quantiles[rows], a.probability[rows]) for name, a in self.answers.items()}
        return Windows(answers, *(getattr(self, name)[rows] for name in COLUMNS))


COLUMNS = tuple(name for name in Windows.__dataclass_fields__ if name != "answers")


def rolling_origins(grid: Grid, begin: int, end: int, every: int) -> Origins:
    """For every server each ``every``-th column in ``[begin, end)``."""
    columns, servers = np.arange(begin, end, every), np.arange(len(grid.servers))
    return Origins(np.tile(servers, len(columns)), np.repeat(columns, len(servers)))


def run(
    forecasters: Mapping[str, Forecaster],
    grid: Grid,
    origins: Origins,
    metric: Metric,
    request: Request,
    report: Callable[[int], None],
) -> Windows | None:
    """Let each forecaster forecast all origins; None where no window is observed enough.

    ``report`` is called with the number of origins done.
    """
    parts = []
    for some, results in _answered(forecasters, grid, origins, metric, request):
        parts.append(_windows(grid, some, results, metric, request.horizon))
        report(len(some))
    return join(parts)


def join(parts: Sequence[Windows]) -> Windows | None:
    """All windows of these parts, of the same forecasters; None where there is none."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return None
    answers = {
        name: Answers(
            np.concatenate([part.answers[name].quantiles for part in filled]),
            np.concatenate([part.answers[name].probability for part in filled]),
        )
        for name in filled[0].answers
    }
    return Windows(answers, *(np.concatenate([getattr(part, name) for part in filled]) for name in COLUMNS))


def _answered(
    forecasters: Mapping[str, Forecaster], grid: Grid, origins: Origins, metric: Metric, request: Request
) -> Iterator[tuple[Origins, dict[str, ForecastBatch]]]:
    rows = [forecasts(f, seen_by(f, grid), origins, metric, request) for f in forecasters.values()]
    for results in zip(*rows, strict=True):
        yield results[0][0], dict(zip(forecasters, (result for _, result in results), strict=True))


def seen_by(forecaster: Forecaster, grid: Grid) -> Grid:
    """The grid without the servers' other metrics where nobody looks at them: they take longer than the forecast."""
    return replace(grid, context=None) if forecaster.kind == "statistical" else grid


def _windows(grid: Grid, at: Origins, results: dict[str, ForecastBatch], metric: Metric, horizon: int) -> Windows:
    day = day_steps(grid.step_seconds)
    history = grid.histories(at.server, at.column, 8 * day)
    ahead = grid.histories(at.server, at.column + horizon, horizon)
    observed = np.isfinite(history[:, -day:]).mean(axis=1) >= ENOUGH_OBSERVED
    chosen = observed & (np.isfinite(ahead).mean(axis=1) >= ENOUGH_OBSERVED) & np.isfinite(history[:, -1])
    crossed, calm = _crossed(ahead, history[:, -1], metric, grid.step_seconds)
    whole = Windows(
        {name: Answers(result.quantiles, result.breach_probability) for name, result in results.items()},
        at.server,
        at.column,
        ahead,
        history[:, -1],
        _seasonal(history, day, horizon),
        seasonal_error(history, day),
        crossed,
        calm,
    )
    return whole.part(chosen)


def day_steps(step_seconds: int) -> int:
    """Steps of a day."""
    return max(DAY_SECONDS // step_seconds, 1)


def _seasonal(history: Floats, day: int, horizon: int) -> Floats:
    """(window, lead) the value at the same time of the last day; the last known value where that is missing."""
    last = history[:, -day:]
    repeats = -(-horizon // last.shape[1])
    seasonal = np.tile(last, (1, repeats))[:, :horizon]
    return np.where(np.isnan(seasonal), history[:, -1:], seasonal)


def _crossed(ahead: Floats, now: Floats, metric: Metric, step_seconds: int) -> tuple[Mask, Mask]:
    if metric.limit is None:
        return np.zeros((len(ahead), len(WITHIN_MINUTES)), bool), np.zeros(len(ahead), bool)
    sign = metric.harm or 1
    beyond = np.nan_to_num(ahead * sign, nan=-np.inf) >= metric.limit * sign
    leads = [min(max(m * 60 // step_seconds, 1), ahead.shape[1]) for m in WITHIN_MINUTES]
    return np.column_stack([beyond[:, :k].any(axis=1) for k in leads]), now * sign < metric.limit * sign
