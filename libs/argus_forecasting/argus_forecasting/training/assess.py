"""What a fresh network is worth on the validation part: its blend, its breach probabilities, its scores."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from argus_forecasting.backtest.compare import Blocks, pooled, typical
from argus_forecasting.calibration import SPANS_MINUTES, Calibration, fit_lines, on_line
from argus_forecasting.features.inputs import prepare
from argus_forecasting.features.scaling import seasonal_change
from argus_forecasting.forecaster import Floats
from argus_forecasting.scores import brier_skill, coverage, mase, pinball, reliability, wql
from argus_forecasting.statistical.summary import crossing_curve
from argus_forecasting.trace_store import TraceStore
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
BEFORE = 144
"""Steps known that are kept for pictures."""
DAY_SECONDS = 86_400
SCORED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Assessment:
    """Forecasts of validation windows in the metric's unit. ``truth``: (window, lead). ``base``, ``full``: (window,
    lead, level) the statistical forecast and the network's, `blended` with what counts of it. ``season``: (window,).
    ``at``: (window,) where they are. ``before``: (window, time) the last steps known. ``share``, ``crossed``: (window,
    span) of paths beyond a made-up limit, and whether it was crossed; NaN = no event.
    """

    levels: tuple[float, ...]
    truth: Floats
    base: Floats
    full: Floats
    season: Floats
    before: Floats
    at: Places
    share: Floats
    crossed: Floats
    blend: float = 1.0

    def blended(self, blend: float | None = None) -> Floats:
        """(window, lead, level)."""
        return self.base + np.float32(self.blend if blend is None else blend) * (self.full - self.base)

    def probability(self) -> Floats:
        """(window, span) that the made-up limit is crossed; each half of the servers by the line fitted on the other,
        so that they are not judged by what they taught. NaN = no event.
        """
        out, half = np.full_like(self.share, np.nan), self.at.server % 2 == 1
        for span in range(self.share.shape[1]):
            share, crossed = self.share[:, span], self.crossed[:, span]
            known = np.isfinite(share) & np.isfinite(crossed)
            for mine in (half, ~half):
                line = _line(share[~mine], crossed[~mine])
                out[mine & known, span] = on_line(share[mine & known], *line)
        return out


def assess(
    manifest: Manifest, network: Network, source: Source, at: Places, report: Callable[[int], None]
) -> tuple[Manifest, Assessment]:
    """The manifest with its calibration, and scores by target, with those of the statistical forecaster beside them;
    and what they were computed from.

    ``report`` is called with the number of windows done.
    """
    found = _forecast(replace(manifest, calibration=Calibration()), network, source, at, report)
    blend = _best_blend(found)
    lines = [_line(found.share[:, i], found.crossed[:, i]) for i in range(len(SPANS_MINUTES))]
    calibration = Calibration(tuple(a for a, _ in lines), tuple(b for _, b in lines), blend)
    found = replace(found, blend=blend)
    scores: dict[str, object] = {"windows": len(at), "blend": blend, "breach": _breaches(found)}
    relative: dict[str, object] = {}
    for metric in np.unique(at.metric).tolist():
        mine, name = at.metric == metric, source.store.metrics[metric]
        ours, base = found.blended()[mine], found.base[mine]
        scores[name] = {"model": _scores(found, ours, mine), "statistical": _scores(found, base, mine)}
        relative[name] = _relative(found, ours, base, mine, source.store)
    scores["relative"] = relative
    return replace(manifest, calibration=calibration, scores=scores), found


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
        lower, upper = known.lower[:, None, None], known.upper[:, None, None]
        full = np.clip(forecaster.quantiles(prepared), lower, upper)
        base = prepared.scale.inverse(prepared.inputs.base)
        limit = np.quantile(prepared.history.filled, LIMIT_QUANTILE, axis=1).astype(np.float32)
        limit[(limit <= known.values[:, -1]) | (limit <= np.median(prepared.history.filled, axis=1))] = np.nan
        curve = crossing_curve(joint_paths(prepared.paths, full, schema.levels), limit, known.harm)
        crossed = np.maximum.accumulate(np.nan_to_num(ahead, nan=-np.inf) >= limit[:, None], axis=1).astype(np.float32)
        crossed[np.isnan(limit)] = np.nan
        leads = [min(max(round(m * 60 / schema.step_seconds), 1), schema.horizon) - 1 for m in SPANS_MINUTES]
        season = seasonal_change(prepared.history.filled, schema.day)
        before = known.values[:, -BEFORE:]
        columns.append((ahead, base, full, season, before, curve[:, leads], crossed[:, leads]))
        report(len(some))
    ahead, base, full, season, before, share, crossed = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    return Assessment(schema.levels, ahead, base, full, season, before, at, share, crossed)


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


def _breaches(found: Assessment) -> dict[str, object]:
    """By span: how often the made-up limit was crossed, Brier skill, and the reliability of what was said."""
    out: dict[str, object] = {}
    said = found.probability()
    for span, minutes in enumerate(SPANS_MINUTES):
        known = np.isfinite(said[:, span]) & np.isfinite(found.crossed[:, span])
        p, happened = said[known, span], found.crossed[known, span] > 0
        if len(p):
            skill = brier_skill(p, happened)
            out[f"{minutes:g} min"] = {
                "base_rate": float(happened.mean()),
                "brier_skill": skill if np.isfinite(skill) else None,
                "reliability": reliability(p, happened),
            }
    return out


def _relative(
    found: Assessment, ours: Floats, base: Floats, mine: npt.NDArray[np.bool_], store: TraceStore
) -> dict[str, object]:
    """Loss over the statistical forecaster's, with a 90 % interval: pooled, and of a typical server."""
    day = (store.first_step + found.at.column[mine]) * store.step_seconds // DAY_SECONDS
    blocks = Blocks.of(found.at.server[mine], day)
    levels = [found.levels.index(level) for level in SCORED]
    losses = [
        np.nansum(pinball(quantiles[:, :, levels], SCORED, found.truth[mine]).mean(axis=2), axis=1)
        for quantiles in (ours, base)
    ]
    ratios = {"wql": pooled(losses[0], losses[1], blocks), "typical": typical(losses[0], losses[1], blocks)}
    return {
        name: [round(value, 4) for value in (ratio.value, ratio.low, ratio.high)]
        for name, ratio in ratios.items()
        if np.isfinite(ratio.value)
    }


def _scores(found: Assessment, part: Floats, mine: npt.NDArray[np.bool_]) -> dict[str, object]:
    ahead = found.truth[mine]
    low, high = found.levels.index(0.1), found.levels.index(0.9)
    thirds = np.array_split(np.arange(ahead.shape[1]), 3)
    error = mase(_median(part, found.levels), ahead, found.season[mine].astype(np.float64))
    levels = [found.levels.index(level) for level in SCORED]
    return {
        "wql": wql(part[:, :, levels], SCORED, ahead),
        "mase": _capped(error),
        "coverage_10_90": [coverage(part[:, t, low], part[:, t, high], ahead[:, t]) for t in thirds],
        "wql_by_lead": [round(wql(part[:, k, levels], SCORED, ahead[:, k]), 5) for k in range(ahead.shape[1])],
        "coverage_by_lead": [
            round(coverage(part[:, k, low], part[:, k, high], ahead[:, k]), 4) for k in range(ahead.shape[1])
        ],
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
