"""The live view: fleet health, the servers most at risk with their bands, and how the pipeline does."""

from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from argus_cli.alerts.view import time_to_limit
from argus_cli.demo.fleet_state import LATEST, FleetState, worst_breach
from argus_common.events import Breach, ForecastIssued
from argus_common.events.base import step_time
from argus_common.levels import COLOURS, level_of

BLOCKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 24
SHOWN_SERVERS = 10


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
    return Group(_head(state, pulse), _table(state), _foot(pulse))


def _head(state: FleetState, pulse: Pulse) -> RenderableType:
    line = Text()
    for level, count in state.levels().items():
        line.append(f" {count} {level.value} ", style=f"bold {COLOURS[level]}" if count else "dim")
    origin = state.newest_origin()
    if origin:
        step_seconds = next(iter(state.latest.values())).step_seconds
        line.append(f"   event time {step_time(origin + 1, step_seconds):%a %H:%M}", style="cyan")
    line.append(f"   {pulse.phase}", style="italic")
    return Panel(line, title=f"[bold]Argus[/]  {len(state.latest)} servers", title_align="left")


def _table(state: FleetState) -> Table:
    table = Table(expand=True, box=None, padding=(0, 1))
    for name, justify in (("server", "left"), ("risk", "right"), ("most likely breach", "left"), ("now", "right"),
                          ("limit", "right"), ("P in 8 h", "right"), ("time to limit", "left"),
                          ("next 8 hours (median; red = limit within the band)", "left")):  # fmt: skip
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for forecast in state.most_at_risk(SHOWN_SERVERS):
        breach = worst_breach(forecast)
        risk = Text(f"{forecast.risk:.0f}", style=f"bold {COLOURS[level_of(forecast.risk)]}")
        if breach is None:
            table.add_row(forecast.server, risk)
            continue
        now = forecast.observed.get(breach.target)
        table.add_row(
            forecast.server,
            risk,
            breach.target,
            "-" if now is None else f"{now:.1f}",
            f"{breach.limit:g}",
            f"{breach.probability.get(LATEST, 0):.0%}",
            time_to_limit(breach.time_to_threshold),
            sparkline(forecast, breach),
        )
    return table


def sparkline(forecast: ForecastIssued, breach: Breach) -> Text:
    """The median path of a target as blocks, red where the limit lies within the band or the median passed it."""
    paths = forecast.quantiles.get(breach.target)
    if not paths:
        return Text("")
    levels = forecast.levels
    median, outer = levels.index(0.5), (levels.index(0.9) if breach.harm > 0 else levels.index(0.1))
    columns = [paths[i * len(paths) // SPARK_WIDTH] for i in range(min(SPARK_WIDTH, len(paths)))]
    top = max([breach.limit, *(column[median] for column in columns)]) or 1.0
    line = Text()
    for column in columns:
        height = min(max(column[median] / top, 0.0), 1.0)
        crossed = column[outer] * breach.harm >= breach.limit * breach.harm
        line.append(BLOCKS[round(height * (len(BLOCKS) - 1))], style="red" if crossed else "green")
    return line


def _foot(pulse: Pulse) -> RenderableType:
    batch = "-" if pulse.batch_seconds is None else f"{pulse.batch_seconds * 1000:.0f} ms"
    line = Text(
        f" {pulse.samples_per_second:,.0f} samples/s   {pulse.samples:,.0f} in all   {pulse.lag:,.0f} records behind   "
        f"{pulse.forecasts:,.0f} forecasts   windows → forecasts {batch}   {pulse.seconds:.0f} s",
        style="dim",
    )
    return Group(line, *(Text(f" {note}", style="yellow") for note in pulse.notes))
