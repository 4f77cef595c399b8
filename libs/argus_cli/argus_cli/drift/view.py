"""Drifts on a screen."""

from rich.console import Group, RenderableType
from rich.text import Text

from argus_cli.drift.board import DriftBoard
from argus_common.durations import told
from argus_common.events import DriftCleared, DriftedServer, DriftEvent, DriftMeasures
from argus_common.events.base import step_time
from argus_common.levels import COLOURS

SHOWN_OPEN, SHOWN_OVER, SHOWN_SERVERS = 8, 10, 5
OUTCOME_WORDS = {
    "returned": "as it was before",
    "adopted": "what they do now is what they are compared with",
    "lost": "not heard of any more",
}


def render(board: DriftBoard) -> RenderableType:
    """What stands, then what is over."""
    standing = board.worst()
    parts: list[RenderableType] = [told_in_full(one) for one in standing[:SHOWN_OPEN]]
    if len(standing) > SHOWN_OPEN:
        parts.append(Text(f"and {len(standing) - SHOWN_OPEN} more", style="dim"))
    if not standing:
        parts = [Text("No drift stands.", style="green")]
    over = board.last_over(SHOWN_OVER)
    ends: list[RenderableType] = [_end(one) for one in over] or [Text("None has ended yet.", style="dim")]
    return Group(*parts, Text(), *ends)


def told_in_full(one: DriftEvent) -> RenderableType:
    """One drift: how bad, whose, of which kind, what it does to forecasts, whether retraining helps."""
    lines = [headline(one), *_labelled("servers", [_server(server, one) for server in one.servers])]
    lines += _labelled("forecasts", [_measures(measures) for measures in one.measures])
    lines += _labelled("retrain", [": ".join(text for text in (one.retraining_helps, one.retraining_reason) if text)])
    return Group(*lines, *_labelled("look at", [one.look_first] if one.look_first else []))


def headline(one: DriftEvent) -> Text:
    """Level, whose, kind, since when and how sure in a line."""
    line = Text(f"{one.severity.value:<9}", style=f"bold {COLOURS[one.severity]}")
    whose = f"{one.profile} " if one.profile else ""
    line.append(f" {one.affected} of {one.watched} {whose}servers of {one.fleet}", style="bold")
    line.append(f": {one.kind} of {', '.join(one.targets)}")
    return line.append(f" since {step_time(one.since, one.step_seconds):%a %d %b %H:%M} ({one.certainty:.0%} sure)")


def _labelled(label: str, texts: list[str]) -> list[Text]:
    """A column of texts with one label before the first."""
    more = [f"and {len(texts) - SHOWN_SERVERS} more"] if len(texts) > SHOWN_SERVERS else []
    shown = texts[:SHOWN_SERVERS] + more
    return [
        Text(f"  {label if i == 0 else '':<10}", style="dim").append(t, style="default") for i, t in enumerate(shown)
    ]


def _server(server: DriftedServer, one: DriftEvent) -> str:
    since = step_time(server.since, one.step_seconds)
    return f"{server.server}: {server.kind} of {server.target}, {server.excess:.1f} thresholds, since {since:%a %H:%M}"


def _measures(one: DriftMeasures) -> str:
    told_of = []
    if one.prediction_error_rate is not None:
        told_of.append(f"lose {one.prediction_error_rate:.2f} times what they did")
    if one.coverage is not None:
        told_of.append(f"{one.coverage:.0%} of values in the 80 % band")
    return f"{one.target}: {', '.join(told_of) or 'not known yet'}"


def _end(one: DriftCleared) -> Text:
    line = Text(f" {step_time(one.step + 1, one.step_seconds):%a %d %b %H:%M}  ", style="dim")
    line.append(f"{one.outcome:<9}", style="green" if one.outcome == "returned" else "dim")
    whose = f" {one.profile}" if one.profile else ""
    line.append(f" {one.kind} of {one.affected}{whose} servers, {told(one.duration_seconds)}")
    return line.append(f"  {OUTCOME_WORDS[one.outcome]}", style="dim")
