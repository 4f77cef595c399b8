"""The live view: fleet health, the servers most at risk with their bands, and how the pipeline does."""

from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from argus_cli.alerts.view import time_to_limit
from argus_cli.cascades.view import headline
from argus_cli.demo.fleet_state import LATEST, FleetState, worst_breach
from argus_common.durations import told
from argus_common.events import Breach, ForecastIssued
from argus_common.events.base import step_time
from argus_common.levels import COLOURS, level_of

BLOCKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH, NARROW_SPARK_WIDTH = 24, 16
WIDE = 104
"""Columns of a screen that has room for all that a row says."""
WIDE_COLUMNS = ("server", "risk", "most likely breach", "now", "limit", "P in 8 h", "time to limit", "next 8 hours")
NARROW_COLUMNS = ("server", "risk", "most likely breach", "P in 8 h", "time to limit", "next 8 hours")
NUMBERS = frozenset({"risk", "now", "limit", "P in 8 h"})
SHOWN_SERVERS, SHOWN_CASCADES = 10, 3


@dataclass(slots=True)
class Pulse:
    """How the pipeline does, as its services tell."""

    phase: str = "starting"
    seconds: float = 0.0
    samples_per_second: float = 0.0
    samples: float = 0.0
    lag: float = 0.0
    forecasts: float = 0.0
    batch_seconds: float | None = None
    notes: list[str] = field(default_factory=list)


def render(state: FleetState, pulse: Pulse) -> RenderableType:
    """The whole screen."""
    return Group(_head(state, pulse), _RiskTable(state), *_cascades(state), _foot(pulse))


def _head(state: FleetState, pulse: Pulse) -> RenderableType:
    line = Text()
    for level, count in state.levels().items():
        line.append(f" {count} {level.value} ", style=f"bold {COLOURS[level]}" if count else "dim")
    origin = state.newest_origin()
    if origin:
        step_seconds = next(iter(state.latest.values())).step_seconds
        line.append(f"   event time {step_time(origin + 1, step_seconds):%a %H:%M}", style="cyan")
    title = f"[bold]Argus[/]  {len(state.latest)} servers  [italic]{pulse.phase}[/]"
    return Panel(line, title=title, title_align="left")


def _cascades(state: FleetState) -> list[RenderableType]:
    """What spreads now, worst first."""
    found = state.cascades.worst()
    lines: list[RenderableType] = [Text(" cascade ", style="bold").append_text(headline(one)) for one in found]
    return lines[:SHOWN_CASCADES]


class _RiskTable:
    """The servers most at risk, in as many columns as the screen has room for."""

    def __init__(self, state: FleetState) -> None:
        self._state = state

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console
        wide = options.max_width >= WIDE
        table = Table(box=None, padding=(0, 1))
        for name in WIDE_COLUMNS if wide else NARROW_COLUMNS:
            table.add_column(name, justify="right" if name in NUMBERS else "left", no_wrap=True)
        for forecast in self._state.most_at_risk(SHOWN_SERVERS):
            cells = _cells(forecast, wide=wide)
            table.add_row(*[cells.get(str(column.header), "") for column in table.columns])
        yield table


def _cells(forecast: ForecastIssued, *, wide: bool) -> dict[str, RenderableType]:
    """What a row says, by column."""
    breach = worst_breach(forecast)
    risk = Text(f"{forecast.risk:.0f}", style=f"bold {COLOURS[level_of(forecast.risk)]}")
    if breach is None:
        return {"server": forecast.server, "risk": risk}
    now = forecast.observed.get(breach.target)
    return {
        "server": forecast.server,
        "risk": risk,
        "most likely breach": breach.target,
        "now": "-" if now is None else f"{now:.1f}",
        "limit": f"{breach.limit:g}",
        "P in 8 h": f"{breach.probability.get(LATEST, 0):.0%}",
        "time to limit": time_to_limit(breach.time_to_threshold) if wide else soonest(breach),
        "next 8 hours": sparkline(forecast, breach, SPARK_WIDTH if wide else NARROW_SPARK_WIDTH),
    }


def soonest(breach: Breach) -> str:
    """The median of the time to threshold, or the earliest it may be, in few characters."""
    times = breach.time_to_threshold
    if times.p50 is not None:
        return told(times.p50)
    return "-" if times.p10 is None else f"> {told(times.p10)}"


def sparkline(forecast: ForecastIssued, breach: Breach, width: int = SPARK_WIDTH) -> Text:
    """The median path of a target as blocks, red where the limit lies within the band or the median passed it."""
    paths = forecast.quantiles.get(breach.target)
    if not paths:
        return Text("")
    levels = forecast.levels
    median, outer = levels.index(0.5), (levels.index(0.9) if breach.harm > 0 else levels.index(0.1))
    columns = [paths[i * len(paths) // width] for i in range(min(width, len(paths)))]
    top = max([breach.limit, *(column[median] for column in columns)]) or 1.0
    line = Text()
    for column in columns:
        height = min(max(column[median] / top, 0.0), 1.0)
        crossed = column[outer] * breach.harm >= breach.limit * breach.harm
        line.append(BLOCKS[round(height * (len(BLOCKS) - 1))], style="red" if crossed else "green")
    return line


def _foot(pulse: Pulse) -> RenderableType:
    batch = "-" if pulse.batch_seconds is None else f"{pulse.batch_seconds * 1000:.0f} ms"
    flow = Text(
        f" {pulse.samples_per_second:,.0f} samples/s   {pulse.samples:,.0f} in all   {pulse.lag:,.0f} records behind   "
        f"{pulse.seconds:.0f} s",
        style="dim",
    )
    line = Text(f" {pulse.forecasts:,.0f} forecasts   windows → forecasts {batch}   ", style="dim")
    line.append("▅", style="red").append(" = limit within the band", style="dim")
    return Group(flow, line, *(Text(f" {note}", style="yellow") for note in pulse.notes))
