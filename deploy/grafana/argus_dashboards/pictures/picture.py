"""One dashboard as a picture."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from argus_dashboards.pictures.asking import Prometheus, filled_in, legend
from argus_dashboards.pictures.panels import (
    FRAME,
    QUIET,
    TEXT,
    Line,
    Panel,
    draw_lines,
    draw_number,
    draw_strips,
    draw_table,
    framed,
    nothing,
)

COLUMNS = 24
WIDTH_INCHES, UNIT_INCHES, HEAD_INCHES, DOTS_PER_INCH = 13.0, 0.32, 0.75, 85
COLOURS = 128
"""More make the file larger and look the same."""
DRAWN = {"timeseries": draw_lines, "stat": draw_number, "status-history": draw_strips, "table": draw_table}
MARGINS = {"timeseries": (0.055, 0.008, 0.72, 0.32), "stat": (0.004, 0.004, 0.1, 0.32),
           "status-history": (0.06, 0.008, 0.3, 0.32), "table": (0.004, 0.008, 0.1, 0.32)}  # fmt: skip
"""Kind of panel → what stays free for axes and names: left, right (of the picture's width), bottom, top (inches)."""


def draw(
    board: Mapping[str, Any], source: Prometheus, chosen: Mapping[str, str], caption: str, file: Path
) -> list[str]:
    """Write ``file`` (PNG); the queries that gave nothing, by panel. ``chosen``: variable → value."""
    panels = list(spread(board["panels"], chosen))
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    size = (WIDTH_INCHES, HEAD_INCHES + height * UNIT_INCHES)
    figure = Figure(size, dpi=DOTS_PER_INCH, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    _head(figure, board["title"], caption)
    empty: list[str] = []
    for panel in panels:
        if panel["type"] == "row":
            _row(figure, panel)
        else:
            empty += _panel(figure, panel, source, chosen | panel.get("chosen", {}))
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    Image.fromarray(drawn).convert("RGB").quantize(COLOURS).save(file, optimize=True)
    return empty


def spread(panels: Sequence[Panel], chosen: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Panels that are repeated for each value of a variable (``a|b``) stand beside each other."""
    for panel in panels:
        values = chosen[panel["repeat"]].split("|") if panel.get("repeat") else []
        width = COLUMNS // max(len(values), 1)
        for place, value in enumerate(values):
            where = {**panel["gridPos"], "x": place * width, "w": width}
            yield {**panel, "gridPos": where, "chosen": {panel["repeat"]: value}}
        if not values:
            yield dict(panel)


def answers(panel: Panel, source: Prometheus, chosen: Mapping[str, str]) -> tuple[list[Line], list[str]]:
    """The lines of a panel, and what it asked in vain."""
    lines: list[Line] = []
    empty: list[str] = []
    title = filled_in(panel["title"], chosen)
    for target in panel["targets"]:
        expression = filled_in(target["expr"], chosen)
        found = source.now(expression) if target.get("instant") else source.over_time(expression)
        if not found:
            empty.append(f"{title}: {expression}")
        form = target.get("legendFormat", "")
        lines += [Line(legend(form, one.labels, title), target["refId"], one) for one in found]
    return lines, empty


def _panel(figure: Figure, panel: Panel, source: Prometheus, chosen: Mapping[str, str]) -> list[str]:
    axes = _place(figure, panel)
    framed(axes, filled_in(panel["title"], chosen))
    lines, empty = answers(panel, source, chosen)
    if lines:
        DRAWN[panel["type"]](axes, panel, lines, source.span)
    else:
        nothing(axes)
    return empty


def _place(figure: Figure, panel: Panel) -> Axes:
    where, height = panel["gridPos"], figure.get_figheight()
    left, right, bottom, top = MARGINS[panel["type"]]
    low = height - HEAD_INCHES - (where["y"] + where["h"]) * UNIT_INCHES
    box = (
        where["x"] / COLUMNS + left,
        (low + bottom) / height,
        where["w"] / COLUMNS - left - right,
        (where["h"] * UNIT_INCHES - bottom - top) / height,
    )
    return figure.add_axes(box, facecolor="white")


def _head(figure: Figure, title: str, caption: str) -> None:
    top = 1 - 0.3 / figure.get_figheight()
    figure.text(0.006, top, title, fontsize=15, color=TEXT, fontweight="bold", va="center")
    figure.text(0.994, top, caption, fontsize=8.5, color=QUIET, va="center", ha="right")


def _row(figure: Figure, panel: Panel) -> None:
    y = 1 - (HEAD_INCHES + (panel["gridPos"]["y"] + 0.55) * UNIT_INCHES) / figure.get_figheight()
    figure.text(0.006, y, panel["title"], fontsize=11, color=TEXT, va="center")
    line = figure.add_axes((0.006, y - 0.14 / figure.get_figheight(), 0.988, 1e-4))
    line.set_axis_off()
    line.axhline(0, color=FRAME)
