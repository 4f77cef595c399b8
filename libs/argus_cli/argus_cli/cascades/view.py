"""Cascades on a screen."""

from rich.console import Group, RenderableType
from rich.text import Text

from argus_cli.cascades.board import CascadeBoard
from argus_common.durations import told
from argus_common.events import CascadeEvent, CascadeFollower, CascadeMember, CascadeOrigin, CascadeResolved
from argus_common.events.base import step_time
from argus_common.levels import COLOURS

SHOWN_OPEN, SHOWN_OVER = 8, 10
SHOWN_MEMBERS, SHOWN_ORIGINS, SHOWN_FOLLOWERS = 6, 3, 4
LIKELY = 0.5
"""An origin that is less likely is told as a possible one."""
KIND_WORDS = {"propagating": "spreading", "common_cause": "all at once"}
OUTCOME_WORDS = {"recovered": "all are well again", "merged": "went up in another", "lost": "not heard of any more"}


def render(board: CascadeBoard) -> RenderableType:
    """What is open, then what is over."""
    standing = board.worst()
    parts: list[RenderableType] = [told_in_full(one) for one in standing[:SHOWN_OPEN]]
    if len(standing) > SHOWN_OPEN:
        parts.append(Text(f"and {len(standing) - SHOWN_OPEN} more", style="dim"))
    if not standing:
        parts = [Text("No cascade is open.", style="green")]
    over = board.last_over(SHOWN_OVER)
    ends: list[RenderableType] = [_end(one) for one in over] or [Text("None has ended yet.", style="dim")]
    return Group(*parts, Text(), *ends)


def told_in_full(one: CascadeEvent) -> RenderableType:
    """One cascade: how bad, who, in which order, who began, who is next, what to look at."""
    lines = [headline(one), *_labelled("members", [_member(m) for m in one.members], SHOWN_MEMBERS)]
    lines += _labelled("origin", [_origin(o) for o in one.likely_origins()] or [_no_origin(one)], SHOWN_ORIGINS)
    expected = [_follower(f) for f in one.followers if f.state == "expected"]
    lines += _labelled("next", expected, SHOWN_FOLLOWERS)
    if one.look_first:
        lines += _labelled("look at", [one.look_first], 1)
    return Group(*lines)


def headline(one: CascadeEvent) -> Text:
    """Level, kind, size and, where one is likely enough, the origin in a line."""
    line = Text(f"{one.severity.value:<9}", style=f"bold {COLOURS[one.severity]}")
    unwell = sum(not member.recovered for member in one.members)
    began = min((member.onset for member in one.members), default=one.opened)
    line.append(f" {unwell} of {len(one.members)} unwell", style="bold")
    line.append(f" since {step_time(began, one.step_seconds):%a %H:%M}, {KIND_WORDS[one.kind]}")
    for origin in one.likely_origins()[:1]:
        line.append(f", {'likely' if origin.probability >= LIKELY else 'perhaps'} from {origin.server} ")
        line.append(f"({origin.probability:.0%})")
    if one.silenced:
        line.append("   maintenance", style="cyan")
    return line


def _labelled(label: str, texts: list[str], shown: int) -> list[Text]:
    """A column of texts with one label before the first."""
    more = [f"and {len(texts) - shown} more"] if len(texts) > shown else []
    lines = []
    for i, text in enumerate(texts[:shown] + more):
        line = Text(f"  {label if i == 0 else '':<8}", style="dim")
        lines.append(line.append(text, style="default"))
    return lines


def _member(member: CascadeMember) -> str:
    value = "" if member.observed is None else f", now {member.observed:.4g}"
    state = " (well again)" if member.recovered else " (silent)" if member.silent else ""
    return f"{member.server}{state}: {member.target} {member.strength:.1f} sigmas beyond its band{value}"


def _origin(origin: CascadeOrigin) -> str:
    why = f": {'; '.join(origin.reasons)}" if origin.reasons else ""
    return f"{origin.server} {origin.probability:.0%}{why}"


def _no_origin(one: CascadeEvent) -> str:
    return "none of them: one cause for all" if one.kind == "common_cause" else "not clear yet"


def _follower(follower: CascadeFollower) -> str:
    span = follower.onset_in
    return f"{follower.server} {follower.probability:.0%}, in {told(span.p50)} ({told(span.p10)} to {told(span.p90)})"


def _end(one: CascadeResolved) -> Text:
    line = Text(f" {step_time(one.step + 1, one.step_seconds):%a %H:%M}  ", style="dim")
    line.append(f"{one.outcome:<10}", style="green" if one.outcome == "recovered" else "dim")
    origin = "".join(f" from {origin.server}" for origin in one.likely_origins()[:1])
    line.append(f" {len(one.members)} servers{origin}, {told(one.duration_seconds)}")
    return line.append(f"  {OUTCOME_WORDS[one.outcome]}", style="dim")
