"""From a cascade after a step to what is told of it: opened, updated, resolved, or nothing."""

from dataclasses import replace
from typing import Any

from argus_cascade.domain.life.cascade import Cascade
from argus_cascade.domain.life.change import Ending, Opened, Resolved, Updated
from argus_cascade.domain.life.settings import LifeSettings
from argus_cascade.domain.life.severity import score
from argus_cascade.domain.life.words import differences, look_first, opening
from argus_cascade.domain.view import View
from argus_common.levels import FLOORS, level_of


def opened(cascade: Cascade, view: View) -> tuple[Cascade, Opened]:
    """The first event of a cascade."""
    said = Opened(**_said(cascade, view), sequence=0, reason=opening(cascade, view.step_seconds))
    return replace(cascade, told=said), said


def updated(cascade: Cascade, view: View, settings: LifeSettings) -> tuple[Cascade, Updated | None]:
    """An event where something has changed that is worth telling, and the last one is not too fresh."""
    last = cascade.told
    if last is None:
        raise ValueError(f"cascade {cascade.id} was never opened")
    said = _said(cascade, view)
    worse = FLOORS[said["severity"]] > FLOORS[last.severity]
    if not worse and view.verdict.step - last.step < settings.update_steps:
        return cascade, None
    found = differences(cascade, last, said["severity"])
    if not found:
        return cascade, None
    event = Updated(**said, sequence=last.sequence + 1, reason="; ".join(found) + ".")
    return replace(cascade, told=event), event


def over(cascade: Cascade, step: int, settings: LifeSettings) -> bool:
    """Fewer than two members have been unwell for long enough."""
    return cascade.calm_since is not None and step - cascade.calm_since + 1 >= settings.resolve_steps


def resolved(cascade: Cascade, view: View, merged_into: str | None = None) -> Resolved:
    """The last event of a cascade."""
    outcome: Ending = "recovered"
    if merged_into is not None:
        outcome = "merged"
    elif all(member.silent for member in cascade.members):
        outcome = "lost"
    why = {
        "recovered": f"{sum(member.recovered for member in cascade.members)} of {len(cascade.members)} members "
        "are well again.",
        "merged": f"What it began with depends on a member of {merged_into}.",
        "lost": "Its members are not heard of any more.",
    }
    sequence = 0 if cascade.told is None else cascade.told.sequence + 1
    duration = (view.verdict.step - cascade.members[0].onset + 1) * view.step_seconds
    return Resolved(
        **_said(cascade, view), sequence=sequence, reason=why[outcome], outcome=outcome, duration_seconds=duration,
        merged_into=merged_into, followers_score=cascade.record,
    )  # fmt: skip


def _said(cascade: Cascade, view: View) -> dict[str, Any]:
    """What every event of a cascade says."""
    unwell = cascade.unwell
    points = score(len(unwell), len(view.verdict.servers), [view.risk(member.server) for member in unwell])
    return {
        "cascade": cascade.id,
        "fingerprint": cascade.fingerprint,
        "fleet": cascade.fleet,
        "step_seconds": view.step_seconds,
        "step": view.verdict.step,
        "opened": cascade.opened,
        "kind": cascade.kind,
        "severity": level_of(points),
        "score": points,
        "members": cascade.members,
        "origins": cascade.origins,
        "followers": cascade.followers,
        "peak_members": cascade.peak,
        "look_first": look_first(cascade),
        "silenced": cascade.silenced,
    }
