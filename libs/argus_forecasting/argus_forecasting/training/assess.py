"""What a fresh network is worth on the validation part: its blend, its breach probabilities, its scores."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from argus_forecasting.calibration import SPANS_MINUTES, Calibration, fit_lines
from argus_forecasting.features.inputs import prepare
from argus_forecasting.features.scaling import seasonal_change
from argus_forecasting.forecaster import Floats
from argus_forecasting.scores import coverage, mase, wql
from argus_forecasting.statistical.summary import crossing_curve
from argus_forecasting.trained.artefact import Manifest
from argus_forecasting.trained.forecaster import TrainedForecaster
from argus_forecasting.trained.joint import joint_paths
from argus_forecasting.trained.networks import Network
from argus_forecasting.training.pools import CHUNK, Source
from argus_forecasting.training.windows import Places, batch, truth

BLENDS = (0.0, 0.25, 0.5, 0.75, 1.0)
LIMIT_QUANTILE = 0.97
"""Of the last week: where a made-up limit lies for fitting breach probabilities on data that has none of its own."""
LEAST_EVENTS = 50
SCORED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Assessment:
    """Forecasts of validation windows in the metric's unit. ``truth``: (window, lead). ``base``, ``full``: (window,
    lead, level) the statistical forecast and the network's. ``season``: (window,). ``metric``: (window,) store column.
    ``share``, ``crossed``: (window, span) of paths beyond the limit, and whether it was crossed; NaN = no event.
    """

    levels: tuple[float, ...]
    truth: Floats
    base: Floats
    full: Floats
    season: Floats
    metric: npt.NDArray[np.int64]
    share: Floats
    crossed: Floats

    def blended(self, blend: float) -> Floats:
        """(window, lead, level)."""
        return self.base + np.float32(blend) * (self.full - self.base)


def assess(
    manifest: Manifest, network: Network, source: Source, at: Places, report: Callable[[int], None]
) -> tuple[Manifest, dict[str, object]]:
    """The manifest with its calibration, and scores by target, with those of the statistical forecaster beside them.

    ``report`` is called with the number of windows done.
    """
    found = _forecast(replace(manifest, calibration=Calibration()), network, source, at, report)
    blend = _best_blend(found)
    lines = [_line(found.share[:, i], found.crossed[:, i]) for i in range(len(SPANS_MINUTES))]
    calibration = Calibration(tuple(a for a, _ in lines), tuple(b for _, b in lines), blend)
    scores: dict[str, object] = {"windows": len(at), "blend": blend}
    for metric in np.unique(found.metric).tolist():
        mine = found.metric == metric
        name = source.store.metrics[metric]
        scores[name] = {
            "model": _scores(found, found.blended(blend), mine),
            "statistical": _scores(found, found.base, mine),
        }
    return replace(manifest, calibration=calibration, scores=scores), scores


def _forecast(
    manifest: Manifest, network: Network, source: Source, at: Places, report: Callable[[int], None]
) -> Assessment:
    forecaster, schema = TrainedForecaster(manifest, network), source.schema
    columns: list[tuple[Floats, ...]] = []
    for begin in range(0, len(at), CHUNK):
        some = at.part(slice(begin, begin + CHUNK))
        known = batch(source.store, some, schema, source.catalogue)
        prepared = prepare(known, schema)
        ahead = truth(source.store, some, schema.horizon)
        full = forecaster.quantiles(prepared)
        base = prepared.scale.inverse(prepared.inputs.base)
        limit = np.quantile(prepared.history.filled, LIMIT_QUANTILE, axis=1).astype(np.float32)
        limit[(limit <= known.values[:, -1]) | (limit <= np.median(prepared.history.filled, axis=1))] = np.nan
        curve = crossing_curve(joint_paths(prepared.paths, full, schema.levels), limit, known.harm)
        crossed = np.maximum.accumulate(np.nan_to_num(ahead, nan=-np.inf) >= limit[:, None], axis=1).astype(np.float32)
        crossed[np.isnan(limit)] = np.nan
        leads = [min(max(round(m * 60 / schema.step_seconds), 1), schema.horizon) - 1 for m in SPANS_MINUTES]
        season = seasonal_change(prepared.history.filled, schema.day)
        columns.append((ahead, base, full, season, curve[:, leads], crossed[:, leads]))
        report(len(some))
    ahead, base, full, season, share, crossed = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    return Assessment(schema.levels, ahead, base, full, season, at.metric, share, crossed)


def _best_blend(found: Assessment) -> float:
    """The share of the correction with the least loss: half of it pooled, so that large series count, half in units of
    each series' seasonal error, so that all count alike.
    """

    def loss(blend: float) -> float:
        quantiles = found.blended(blend)
        error = mase(_median(quantiles, found.levels), found.truth, found.season.astype(np.float64))
        return float(np.log(_wql(found, quantiles)) + np.log(_capped(error) or 1.0))

    return min(BLENDS, key=loss)


def _line(share: Floats, crossed: Floats) -> tuple[float, float]:
    known = np.isfinite(share) & np.isfinite(crossed)
    if crossed[known].sum() < LEAST_EVENTS:
        return 0.0, 1.0
    return fit_lines(share[known], crossed[known])


def _scores(found: Assessment, quantiles: Floats, mine: npt.NDArray[np.bool_]) -> dict[str, object]:
    part, ahead = quantiles[mine], found.truth[mine]
    low, high = found.levels.index(0.1), found.levels.index(0.9)
    thirds = np.array_split(np.arange(ahead.shape[1]), 3)
    error = mase(_median(part, found.levels), ahead, found.season[mine].astype(np.float64))
    levels = [found.levels.index(level) for level in SCORED]
    return {
        "wql": wql(part[:, :, levels], SCORED, ahead),
        "mase": _capped(error),
        "coverage_10_90": [coverage(part[:, t, low], part[:, t, high], ahead[:, t]) for t in thirds],
    }


def _capped(error: Doubles) -> float | None:
    """Mean error with every window at most 10; None where no window has a seasonal error."""
    known = error[np.isfinite(error)]
    return float(np.minimum(known, 10).mean()) if len(known) else None


def _wql(found: Assessment, quantiles: Floats) -> float:
    levels = [found.levels.index(level) for level in SCORED]
    return wql(quantiles[:, :, levels], SCORED, found.truth)


def _median(quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    return quantiles[:, :, levels.index(0.5)]
