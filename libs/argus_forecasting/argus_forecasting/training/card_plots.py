"""Pictures of a model's card, one per target: error and coverage by lead, reliability, examples."""

import re

import numpy as np

from argus_forecasting import plots
from argus_forecasting.calibration import SPANS_MINUTES
from argus_forecasting.forecaster import Floats, Ints
from argus_forecasting.scores import coverage, reliability, wql
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.training.assess import SCORED, Assessment

MOST_PICTURES = 12
"""Targets that are drawn; a trace may have hundreds."""
DOTS_PER_INCH = 60
"""Keeps a picture well under 100 kB."""


def draw(found: Assessment, store: TraceStore) -> dict[str, bytes]:
    """PNG files by name: TARGET.png."""
    targets = np.unique(found.at.metric).tolist()[:MOST_PICTURES]
    probability = found.probability()
    return {file_name(store.metrics[target]): _picture(found, probability, store, target) for target in targets}


def file_name(metric: str) -> str:
    """A metric's picture.

    >>> file_name("cpu_used_pct"), file_name("../CPU %")
    ('cpu_used_pct.png', '___CPU__.png')
    """
    return re.sub(r"[^A-Za-z0-9_-]", "_", metric) + ".png"


def _picture(found: Assessment, probability: Floats, store: TraceStore, target: int) -> bytes:
    mine = np.flatnonzero(found.at.metric == target)
    figure, axes = plots.sheet(2, 3, f"{store.metrics[target]}: {len(mine):,} windows of the validation part")
    hours = [lead * store.step_seconds / 3600 for lead in range(1, found.truth.shape[1] + 1)]
    truth = found.truth[mine]
    quantiles = {"model": found.blended()[mine], "statistical": found.base[mine]}
    plots.loss_by_lead(axes[0], {name: _loss(found, q, truth) for name, q in quantiles.items()}, hours)
    plots.coverage_by_lead(axes[1], {name: _coverage(found, q, truth) for name, q in quantiles.items()}, hours)
    plots.reliability(axes[2], _reliability(found, probability, mine), "crossing a made-up limit")
    for axis, row in zip(axes[3:], plots.typical_rows(truth), strict=True):
        server, column = int(found.at.server[mine[row]]), int(found.at.column[mine[row]])
        seconds = (store.first_step + column) * store.step_seconds
        shown = plots.Example(
            f"{store.servers[server]}, {str(np.datetime64(seconds, 's')).replace('T', ' ')[:16]}",
            "model",
            found.before[mine[row]],
            truth[row],
            quantiles["model"][row],
            quantiles["statistical"][row],
        )
        plots.example(axis, shown, found.levels, store.step_seconds / 3600)
    return plots.png(figure, DOTS_PER_INCH)


def _loss(found: Assessment, quantiles: Floats, truth: Floats) -> list[float]:
    levels = [found.levels.index(level) for level in SCORED]
    return [wql(quantiles[:, k, levels], SCORED, truth[:, k]) for k in range(truth.shape[1])]


def _coverage(found: Assessment, quantiles: Floats, truth: Floats) -> list[float]:
    low, high = found.levels.index(0.1), found.levels.index(0.9)
    return [coverage(quantiles[:, k, low], quantiles[:, k, high], truth[:, k]) for k in range(truth.shape[1])]


def _reliability(found: Assessment, probability: Floats, mine: Ints) -> dict[str, list[tuple[float, float, int]]]:
    out = {}
    for span, minutes in enumerate(SPANS_MINUTES):
        p, crossed = probability[mine, span], found.crossed[mine, span]
        known = np.isfinite(p) & np.isfinite(crossed)
        if known.any():
            out[f"{minutes:g} min"] = reliability(p[known], crossed[known] > 0)
    return out
