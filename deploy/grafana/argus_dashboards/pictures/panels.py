"""The kinds of panels, each drawn into a place of its own."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from argus_dashboards.pictures.asking import Series, Span
from argus_dashboards.pictures.values import written

DAY = 86_400
PALETTE = ("#5794f2", "#73bf69", "#ff9830", "#b877d9", "#f2495c", "#37872d", "#8ab8ff", "#fade2a", "#a352cc", "#e0b400")
NAMED = {"text": "#8e8e8e", "blue": "#5794f2"}
TEXT, QUIET, FRAME = "#24292e", "#6e7687", "#e3e6ea"
SHOWN_NAMES, NAME_LENGTH, SHOWN_ROWS = 6, 34, 12
CHARACTERS, COLUMN_ROOM = 190, 5
"""Characters that fit the picture's width, and those between two columns."""
TITLE_SIZE, TEXT_SIZE, CELL_SIZE, NUMBER_SIZE = 9.5, 7, 7.5, 19
PACES, MOST_TIMES = (60, 300, 900, 3600, 14_400, DAY), 8
"""Seconds between two times below a panel: the first of which at most so many fit."""
FLAT, ROOM = 1e-9, 0.03
"""Least height of an axis, and the share of it that stays free above and below."""
LEGEND: dict[str, Any] = {
    "loc": "upper left", "bbox_to_anchor": (0, -0.12), "fontsize": TEXT_SIZE - 0.5, "frameon": False,
    "labelcolor": TEXT, "handlelength": 1.2, "columnspacing": 1, "borderpad": 0, "title_fontsize": TEXT_SIZE - 1,
    "alignment": "left",
}  # fmt: skip

Panel = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A series under the name of its legend. ``query``: letter of the query that it answers."""

    name: str
    query: str
    series: Series


def framed(axes: Axes, title: str) -> None:
    """A panel's title."""
    axes.set_title(title, loc="left", fontsize=TITLE_SIZE, color=TEXT, fontweight="bold", pad=5)
    for side in axes.spines.values():
        side.set_color(FRAME)


def nothing(axes: Axes) -> None:
    """Say that there is no data, as Grafana does."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, "No data", ha="center", va="center", color=QUIET, fontsize=TITLE_SIZE, transform=axes.transAxes)


def draw_lines(axes: Axes, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    """Lines over time; a gap stays a gap."""
    defaults = panel["fieldConfig"]["defaults"]
    for place, line in enumerate(lines):
        _line(axes, line, _style(panel, line.name), PALETTE[place % len(PALETTE)], span)
    _bands(axes, panel, {line.name: line for line in lines})
    _range(axes, defaults.get("min"), defaults.get("max"))
    _times(axes, span)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: written(value, defaults["unit"]) or "0"))
    axes.tick_params(labelsize=TEXT_SIZE, colors=QUIET, length=2)
    axes.grid(visible=True, color=FRAME, linewidth=0.6)
    _names(axes, [line.name for line in lines])


def _range(axes: Axes, least: float | None, most: float | None) -> None:
    """With a little room, so that a line on the edge is seen."""
    low, high = axes.get_ylim()
    low, high = low if least is None else least, high if most is None else most
    high = max(high, low + FLAT)
    room = ROOM * (high - low)
    axes.set_ylim(low - room, high + room)


def _times(axes: Axes, span: Span) -> None:
    axes.set_xlim(_day(span.begin), _day(span.end))
    pace = next((pace for pace in PACES if (span.end - span.begin) / pace <= MOST_TIMES), PACES[-1])
    times = np.arange(math.ceil(span.begin / pace) * pace, span.end, pace)
    axes.set_xticks(times / DAY, [f"{datetime.fromtimestamp(time, UTC):%H:%M}" for time in times])


def _line(axes: Axes, line: Line, style: Mapping[str, Any], colour: str, span: Span) -> None:
    times, values = _with_gaps(line.series, span.step)
    told = style.get("color", {}).get("fixedColor")
    look = "--" if style.get("custom.lineStyle") else "-"
    width = 0.0 if style.get("custom.lineWidth") == 0 else 1.1
    axes.plot(times, values, look, color=NAMED.get(told, told) or colour, linewidth=width, label=_short(line.name))


def _with_gaps(series: Series, step: float) -> tuple[np.ndarray, np.ndarray]:
    times, values = (np.array(part) for part in zip(*series.points, strict=True))
    values = np.where(np.isfinite(values), values, np.nan)
    breaks = np.flatnonzero(np.diff(times) > 1.5 * step) + 1
    return np.insert(times, breaks, times[breaks - 1] + step) / DAY, np.insert(values, breaks, np.nan)


def _bands(axes: Axes, panel: Panel, lines: Mapping[str, Line]) -> None:
    for upper in lines:
        lower = str(_style(panel, upper).get("custom.fillBelowTo"))
        if lower not in lines:
            continue
        high, low = (dict(lines[name].series.points) for name in (upper, lower))
        times = sorted(high.keys() & low.keys())
        above, below = ([edge[time] for time in times] for edge in (high, low))
        axes.fill_between([_day(time) for time in times], below, above, color=NAMED["blue"], alpha=0.2, linewidth=0)


def _names(axes: Axes, names: Sequence[str]) -> None:
    drawn = [line for line, name in zip(axes.get_lines(), names, strict=True) if name and line.get_linewidth() > 0]
    if not drawn:
        return
    more = len(drawn) - SHOWN_NAMES
    longest = max(len(str(line.get_label())) for line in drawn[:SHOWN_NAMES])
    fitting = int(CHARACTERS * axes.get_position().width / (longest + COLUMN_ROOM))
    axes.legend(
        drawn[:SHOWN_NAMES],
        [str(line.get_label()) for line in drawn[:SHOWN_NAMES]],
        title=f"{SHOWN_NAMES} of {len(drawn)}" if more > 0 else None,
        ncols=min(max(fitting, 1), 4),
        **LEGEND,
    )


def draw_number(axes: Axes, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    """The newest value, large, over its recent course."""
    line = lines[0]
    defaults = panel["fieldConfig"]["defaults"]
    value = line.series.last
    colour = _level(value, defaults["thresholds"]["steps"])
    times, values = _with_gaps(line.series, span.step)
    axes.fill_between(times, values, np.nanmin(values, initial=0), color=colour, alpha=0.12, linewidth=0)
    axes.set_xlim(_day(span.begin), _day(span.end))
    highest = np.nanmax(values, initial=0)
    axes.set_ylim(min(0, np.nanmin(values, initial=0)), max(highest, 1e-9) * 1.6)
    axes.set_xticks([])
    axes.set_yticks([])
    told = written(value, defaults["unit"], defaults.get("decimals")) or "–"
    axes.text(0.5, 0.5, told, ha="center", va="center", fontsize=NUMBER_SIZE, color=colour, transform=axes.transAxes)


def draw_strips(axes: Axes, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    """A coloured strip per series."""
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    for place, line in enumerate(lines):
        times = [_day(time) for time, _ in line.series.points]
        colours = [_level(value, steps) for _, value in line.series.points]
        axes.bar(times, 0.86, span.step / DAY * 1.05, place - 0.43, align="edge", color=colours, linewidth=0)
    axes.set_yticks(range(len(lines)), [_short(line.name) for line in lines])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    _times(axes, span)
    axes.tick_params(labelsize=TEXT_SIZE - 1, colors=QUIET, length=2)


def draw_table(axes: Axes, panel: Panel, lines: Sequence[Line], _: Span) -> None:
    """The rows that the queries give together, with the panel's headings in its order."""
    organised = next(t["options"] for t in panel["transformations"] if t["id"] == "organize")
    names = sorted(organised["renameByName"], key=organised["indexByName"].__getitem__)
    rows = merged(lines, names)
    columns = [_column(panel, organised["renameByName"][name], [row.get(name, "") for row in rows]) for name in names]
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_ylim(SHOWN_ROWS + 1, 0)
    right = 1.0
    for heading, *cells in columns:
        axes.text(right, 0.5, heading, fontsize=CELL_SIZE, color=QUIET, fontweight="bold", va="center")
        for place, cell in enumerate(cells[:SHOWN_ROWS]):
            axes.text(right, place + 1.5, cell, fontsize=CELL_SIZE, color=TEXT, va="center")
        right += COLUMN_ROOM + max(len(text) for text in (heading, *cells))
    axes.set_xlim(0, max(right, CHARACTERS * axes.get_position().width))
    if len(rows) > SHOWN_ROWS:
        more = f"{SHOWN_ROWS} of {len(rows)}"
        axes.text(1, 1.02, more, ha="right", fontsize=TEXT_SIZE, color=QUIET, transform=axes.transAxes)


def _column(panel: Panel, heading: str, cells: Sequence[str | float]) -> list[str]:
    unit = _style(panel, heading).get("unit", "none")
    return [heading, *(cell if isinstance(cell, str) else written(cell, unit) for cell in cells)]


def merged(lines: Sequence[Line], names: Sequence[str]) -> list[dict[str, str | float]]:
    """Rows by the labels that are shown, in the order of the first query that has each."""
    rows: dict[tuple[str, ...], dict[str, str | float]] = {}
    labels = [name for name in names if not name.startswith("Value #")]
    for line in lines:
        found = {name: line.series.labels.get(name, "") for name in labels}
        row = rows.setdefault(tuple(found.values()), {**found})
        row[f"Value #{line.query}"] = line.series.last
    return list(rows.values())


def _style(panel: Panel, name: str) -> dict[str, Any]:
    overrides = [o for o in panel["fieldConfig"].get("overrides", []) if o["matcher"]["options"] == name]
    return {prop["id"]: prop["value"] for override in overrides for prop in override["properties"]}


def _level(value: float, steps: Sequence[Mapping[str, Any]]) -> str:
    if math.isnan(value):
        return FRAME
    reached = [step["color"] for step in steps if step.get("value") is None or value >= step["value"]]
    return TEXT if reached[-1] == "text" else str(reached[-1])


def _short(name: str) -> str:
    kept = name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…"
    return kept.lstrip("_")


def _day(seconds: float) -> float:
    return seconds / DAY
