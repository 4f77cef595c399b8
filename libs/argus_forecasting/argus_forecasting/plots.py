"""Panels that backtests and model cards are drawn from. Needs matplotlib; draws without a display."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from argus_forecasting.forecaster import Floats

COLOURS = {"model": "#c05621", "statistical": "#2b6cb0", "naive": "#a0aec0", "seasonal naive": "#718096"}
SPANS = ("#2b6cb0", "#2f855a", "#c05621", "#805ad5")
TRUTH, GRID = "#1a202c", "#e2e8f0"
DOTS_PER_INCH = 90
SHADES = 128
"""Colours of a picture's palette: a third of the bytes of one in full colour."""
GOOD_COVERAGE = (0.76, 0.84)
LEAST_IN_BIN = 50
"""Forecasts in a bin of probabilities before it is drawn: fewer are noise."""


def colour(name: str) -> str:
    """Of a forecaster or baseline."""
    return COLOURS.get(name, COLOURS["model"])


def sheet(rows: int, columns: int, title: str) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels."""
    figure = Figure(figsize=(4.6 * columns, 3.5 * rows), layout="constrained")
    figure.suptitle(title, fontsize=13)
    axes = [axis for row in figure.subplots(rows, columns, squeeze=False) for axis in row]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color=GRID, linewidth=0.6)
        axis.set_axisbelow(True)
    return figure, axes


def png(figure: Figure, dots_per_inch: int = DOTS_PER_INCH) -> bytes:
    """The figure as a file's bytes, the same for the same figure."""
    drawn, out = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=dots_per_inch, metadata={"Software": None})
    Image.open(drawn).convert("RGB").quantize(SHADES).save(out, format="png", optimize=True)
    return out.getvalue()


def loss_by_lead(axis: Axes, curves: Mapping[str, Sequence[float]], hours: Sequence[float]) -> None:
    """Weighted quantile loss of forecasters and baselines over ``hours`` ahead."""
    for name, curve in curves.items():
        ours = name not in ("naive", "seasonal naive")
        axis.plot(hours, curve, color=colour(name), label=name, linewidth=1.8 if ours else 1.2)
    axis.set(title="loss by lead (WQL)", xlabel="hours ahead", xlim=(0, hours[-1]), ylim=(0, None))
    axis.legend(frameon=False, fontsize=8)


def coverage_by_lead(axis: Axes, curves: Mapping[str, Sequence[float]], hours: Sequence[float]) -> None:
    """Share of what came that lay inside the 10–90 % band; the shaded range is as it should be."""
    axis.axhspan(*GOOD_COVERAGE, color=GRID, zorder=0)
    axis.axhline(0.8, color=TRUTH, linewidth=0.8, linestyle="--")
    for name, curve in curves.items():
        axis.plot(hours, curve, color=colour(name), label=name)
    axis.set(title="coverage of the 10–90 % band", xlabel="hours ahead", xlim=(0, hours[-1]), ylim=(0.5, 1))
    axis.legend(frameon=False, fontsize=8)


def reliability(axis: Axes, curves: Mapping[str, Sequence[tuple[float, float, int]]], title: str) -> None:
    """How often a breach happened beside how probable it was said to be; larger dots are more forecasts."""
    axis.plot([0, 1], [0, 1], color=TRUTH, linewidth=0.8, linestyle="--")
    drawn = False
    most = max((count for bins in curves.values() for _, _, count in bins), default=1)
    for number, (name, bins) in enumerate(curves.items()):
        kept = [b for b in bins if b[2] >= LEAST_IN_BIN]
        if not kept:
            continue
        drawn, shade = True, SPANS[number % len(SPANS)]
        said, happened = [p for p, _, _ in kept], [share for _, share, _ in kept]
        axis.plot(said, happened, color=shade, linewidth=1, label=name)
        axis.scatter(said, happened, [8 + 70 * (count / most) ** 0.5 for _, _, count in kept], color=shade)
    axis.set(title=title, xlabel="probability said", ylabel="share that happened", xlim=(0, 1), ylim=(0, 1))
    if drawn:
        axis.legend(frameon=False, fontsize=8)
    else:
        told = "too few forecasts" if curves else "no limit"
        axis.text(0.5, 0.5, told, ha="center", color=COLOURS["seasonal naive"])


@dataclass(frozen=True, slots=True)
class Example:
    """One forecast by ``name``. ``before``: (time,) what was known. ``truth``: (lead,). ``quantiles``: (lead, level).
    ``other``: (lead, level) of the forecaster beside it, None = none. ``limit``: None = none.
    """

    title: str
    name: str
    before: Floats
    truth: Floats
    quantiles: Floats
    other: Floats | None = None
    limit: float | None = None


def example(axis: Axes, shown: Example, levels: Sequence[float], step_hours: float) -> None:
    """A forecast's bands with what came before and after; the dotted lines are the other forecaster's band."""
    past = np.arange(1 - len(shown.before), 1) * step_hours
    ahead = np.arange(1, len(shown.truth) + 1) * step_hours
    shade = colour(shown.name)
    for low in range(len(levels) // 2):
        axis.fill_between(ahead, shown.quantiles[:, low], shown.quantiles[:, -1 - low], color=shade, alpha=0.16, lw=0)
    axis.plot(ahead, shown.quantiles[:, len(levels) // 2], color=shade, label="median and bands")
    if shown.other is not None:
        for edge in (0, -1):
            axis.plot(ahead, shown.other[:, edge], color=COLOURS["seasonal naive"], linestyle=":", linewidth=1)
    axis.plot(past, shown.before, color=TRUTH, linewidth=0.9)
    axis.plot(ahead, shown.truth, color=TRUTH, linewidth=0.9, label="what came")
    axis.axvline(0, color=TRUTH, linewidth=0.6)
    if shown.limit is not None:
        axis.axhline(shown.limit, color="#c53030", linewidth=0.8, linestyle="--")
    axis.set(title=shown.title, xlabel="hours from the origin", xlim=(past[0], ahead[-1]))
    axis.legend(frameon=False, fontsize=8)


def typical_rows(truth: Floats) -> list[int]:
    """Rows at the half, the three quarters and the near end of how much they move.

    >>> typical_rows(np.array([[0, 0], [0, 1], [0, 2], [0, 3], [0, 4]], np.float32))
    [2, 3, 4]
    """
    order = np.argsort(np.nanstd(truth, axis=1), kind="stable")
    return [int(order[round(share * (len(order) - 1))]) for share in (0.5, 0.75, 0.97)]
