"""Pictures of a backtest: error and coverage by lead, reliability, and a few forecasts beside what came."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from argus_forecasting.backtest import Scores, Windows

EXAMPLES = 3
OURS, BASELINE, TRUTH = "#2b6cb0", "#a0aec0", "#1a202c"


def draw(folder: Path, metric: str, scores: Scores, windows: Windows, levels: tuple[float, ...]) -> Path:
    """Write ``metric``.png into ``folder`` and return its path."""
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(13, 7), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    figure.suptitle(f"{metric}: {scores.windows:,} windows, WQL {scores.wql:.3f}, MASE {scores.mase:.2f}")
    _loss(axes[0], scores)
    _coverage(axes[1], scores)
    _reliability(axes[2], scores)
    for axis, row in zip(axes[3:], _typical(windows), strict=True):
        _example(axis, windows, row, levels)
    path = folder / f"{metric}.png"
    figure.savefig(path, dpi=110)
    return path


def _loss(axis: Axes, scores: Scores) -> None:
    leads = np.arange(1, len(scores.loss_by_lead) + 1)
    axis.plot(leads, scores.loss_by_lead, color=OURS, label="quantile loss")
    axis.plot(leads, scores.naive_loss_by_lead, color=BASELINE, label="naive, absolute error")
    axis.set(title="loss by lead", xlabel="steps ahead", ylim=(0, None))
    axis.legend(frameon=False)


def _coverage(axis: Axes, scores: Scores) -> None:
    axis.plot(np.arange(1, len(scores.coverage_by_lead) + 1), scores.coverage_by_lead, color=OURS)
    axis.axhline(0.8, color=BASELINE, linestyle="--")
    axis.set(title="coverage of the 10 to 90 % band", xlabel="steps ahead", ylim=(0, 1))


def _reliability(axis: Axes, scores: Scores) -> None:
    axis.plot([0, 1], [0, 1], color=BASELINE, linestyle="--")
    for within, breach in scores.breach.items():
        axis.plot(
            [p for p, _, _ in breach.reliability], [s for _, s, _ in breach.reliability], marker="o", label=within
        )
    axis.set(title="breaches: forecast and happened", xlabel="probability", ylabel="share", xlim=(0, 1), ylim=(0, 1))
    if scores.breach:
        axis.legend(frameon=False)
    else:
        axis.text(0.5, 0.5, "no limit", ha="center", color=BASELINE)


def _typical(windows: Windows) -> list[int]:
    """The windows at the quarters of how much they move."""
    order = np.argsort(np.nanstd(windows.truth, axis=1))
    return [int(order[round(share * (len(order) - 1))]) for share in (0.5, 0.75, 0.95)]


def _example(axis: Axes, windows: Windows, row: int, levels: tuple[float, ...]) -> None:
    leads = np.arange(1, windows.truth.shape[1] + 1)
    quantiles = windows.quantiles[row]
    for low in range(len(levels) // 2):
        axis.fill_between(leads, quantiles[:, low], quantiles[:, -1 - low], color=OURS, alpha=0.15, linewidth=0)
    axis.plot(leads, quantiles[:, len(levels) // 2], color=OURS, label="median")
    axis.plot(leads, windows.truth[row], color=TRUTH, linewidth=1, label="what came")
    axis.set(title="an example", xlabel="steps ahead")
    axis.legend(frameon=False)
