"""Alerts on a screen."""

from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from argus_cli.alerts.board import Board, Ledger
from argus_common.durations import told
from argus_common.events import BreachEnded, StandingAlert, TimeToThreshold
from argus_common.events.base import step_time
from argus_common.levels import COLOURS

SHOWN_STANDING = 20
SHOWN_ENDED = 10
OUTCOME_STYLES = {"hit": "bold green", "late": "bold red", "false": "yellow", "mitigated": "cyan", "unknown": "dim"}
OUTCOME_WORDS = {
    "hit": "came as foretold",
    "late": "not foretold",
    "false": "did not come",
    "mitigated": "someone acted",
    "unknown": "data stopped",
}


def render(board: Board) -> RenderableType:
    """What stands, what ended, and how good it was."""
    return Group(_standing(board), Text(), _ended(board), Text(), ledger_line(board.ledger()))


def _standing(board: Board) -> RenderableType:
    found = board.soonest()
    if not found:
        return Text("No alert stands.", style="green")
    table = Table(title=f"{len(found)} alerts stand, soonest breach first", title_justify="left", expand=True)
    several = len({one.fleet for one in found}) > 1
    for name in ("level", *(["fleet"] if several else []), "server", "target"):
        table.add_column(name, no_wrap=True)
    for name in ("now", "limit", "probability"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("time to limit", "in 1 h (80 %)", "raised"):
        table.add_column(name, no_wrap=True)
    for one in found[:SHOWN_STANDING]:
        cells = _cells(one)
        table.add_row(*cells[:1], *([one.fleet] if several else []), *cells[1:], style=_style(board, one))
    if len(found) > SHOWN_STANDING:
        table.caption = f"and {len(found) - SHOWN_STANDING} more"
    return table


def _style(board: Board, one: StandingAlert) -> str:
    return "dim" if board.stale(one) else ""


def _cells(one: StandingAlert) -> list[str | Text]:
    chance = one.probability.get(one.within)
    return [
        Text(one.level.value, style=f"bold {COLOURS[one.level]}"),
        one.server,
        one.target,
        "-" if one.observed is None else f"{one.observed:.4g}",
        f"{one.limit:g}",
        "-" if chance is None or one.phase == "breached" else f"{chance:.0%} in {one.within}",
        _when(one),
        _band(one),
        f"{step_time(one.since + 1, one.step_seconds):%a %H:%M}",
    ]


def time_to_limit(times: TimeToThreshold) -> str:
    """Median and range of the time to threshold in words.

    >>> time_to_limit(TimeToThreshold(p10=1800, p50=3600, p90=10_800))
    '60 min (30 min to 3.0 h)'
    """
    if times.p50 is None:
        return "-" if times.p10 is None else f"{told(times.p10)} at the earliest"
    late = "later" if times.p90 is None else told(times.p90)
    return f"{told(times.p50)} ({told(times.p10 or times.p50)} to {late})"


def _when(one: StandingAlert) -> str | Text:
    if one.phase == "breached" and one.crossed is not None:
        return Text(f"crossed {step_time(one.crossed, one.step_seconds):%a %H:%M}", style="bold red")
    return time_to_limit(one.time_to_threshold)


def _band(one: StandingAlert) -> str:
    point = next((p for p in one.band if p.lead_seconds >= timedelta(hours=1).total_seconds()), None)
    return "-" if point is None else f"{point.p10:.3g} to {point.p90:.3g}"


def _ended(board: Board) -> RenderableType:
    found = board.last_ended(SHOWN_ENDED)
    if not found:
        return Text("None has ended yet.", style="dim")
    return Group(*(_line(one) for one in found))


def _line(one: BreachEnded) -> Text:
    line = Text(f" {step_time(one.origin + 1, one.step_seconds):%a %H:%M}  ", style="dim")
    line.append(f"{one.outcome:<10}", style=OUTCOME_STYLES.get(one.outcome, ""))
    line.append(f" {one.server} {one.target} {one.limit:g}", style="default")
    line.append(f"  {one.reason or OUTCOME_WORDS.get(one.outcome, '')}", style="dim")
    return line


def ledger_line(ledger: Ledger) -> Text:
    """All outcomes in a line."""
    line = Text(" ")
    for outcome, count in ledger.counts.items():
        line.append(f"{count} {outcome}", style=OUTCOME_STYLES[outcome] if count else "dim")
        line.append(f" ({OUTCOME_WORDS[outcome]})   ", style="dim")
    figures = []
    if (precision := ledger.precision()) is not None:
        figures.append(f"precision {precision:.0%}")
    if (recall := ledger.recall()) is not None:
        figures.append(f"recall {recall:.0%}")
    if ledger.median_lead_seconds is not None:
        figures.append(f"median lead {told(ledger.median_lead_seconds)}")
    return line.append("\n " + "   ".join(figures) if figures else "")
