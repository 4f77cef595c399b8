"""What is said of a cascade, in plain words."""

from collections.abc import Iterable, Sequence

from argus_cascade.domain.life.cascade import Cascade
from argus_cascade.domain.life.change import Change, Kind, Member, Origin
from argus_common.durations import told
from argus_common.events.cascades import WORTH_NAMING
from argus_common.levels import Level

MOST_NAMES = 5


def opening(cascade: Cascade, step_seconds: int) -> str:
    """Why a cascade is opened."""
    onsets = [member.onset for member in cascade.members]
    span = told((max(onsets) - min(onsets) + 1) * step_seconds)
    how = "one after the other" if cascade.kind == "propagating" else "all at once"
    taught = f" That they depend on each other was learned from {cascade.taught_by} past cascades."
    return (
        f"{len(cascade.members)} servers fell ill {how} within {span}: {names(cascade.members)}. "
        f"The chance of the like in a healthy fleet is about 1 in 10^{cascade.rarity:.0f} per window."
        f"{taught if cascade.taught_by else ''}"
    )


def differences(cascade: Cascade, last: Change, severity: Level) -> list[str]:
    """What has changed since the last event."""
    known = {member.server: member for member in last.members}
    joined = [member for member in cascade.members if member.server not in known]
    healed = [m for m in cascade.members if m.recovered and m.server in known and not known[m.server].recovered]
    relapsed = [m for m in cascade.members if not m.recovered and m.server in known and known[m.server].recovered]
    found = [
        f"{names(group)} {what}"
        for group, what in ((joined, "joined"), (healed, "recovered"), (relapsed, "fell ill again"))
        if group
    ]
    if severity != last.severity:
        found.append(f"severity {last.severity.value} → {severity.value}")
    began = likely_origin(cascade.kind, cascade.origins)
    if began and began != likely_origin(last.kind, last.origins):
        found.append(f"likeliest origin now {began}")
    if cascade.kind != last.kind:
        found.append(f"now looks {cascade.kind.replace('_', ' ')}")
    if cascade.silenced != last.silenced:
        found.append("in maintenance" if cascade.silenced else "maintenance is over")
    if {(f.server, f.state) for f in cascade.followers} != {(f.server, f.state) for f in last.followers}:
        found.append("other servers are expected to follow")
    return found


def look_first(cascade: Cascade) -> str:
    """Where a person should look first: where it began, or, where no server began it, what the members share."""
    by_name = {member.server: member for member in cascade.members}
    began = by_name.get(likely_origin(cascade.kind, cascade.origins))
    if began is not None:
        return _state(began)
    if cascade.kind == "propagating":
        return f"{_state(cascade.members[0])} It fell ill first; where it began is not clear."
    worst = max(cascade.members, key=lambda member: (member.strength, member.server))
    return f"What they share: {_shared(cascade.members)}. None of them began it. The farthest out is {_state(worst)}"


def likely_origin(kind: Kind, origins: Sequence[Origin]) -> str:
    """The server that it began with; empty where none is likely enough, or all have a cause in common."""
    if kind == "common_cause" or not origins or origins[0].probability < WORTH_NAMING:
        return ""
    return origins[0].server


def _state(member: Member) -> str:
    if member.silent:
        return f"{member.server} ({member.profile}): it has stopped reporting."
    return f"{member.server} ({member.profile}): {member.target}, {member.strength:.1f} sigmas beyond its band."


def _shared(members: Sequence[Member]) -> str:
    """What is the same of all, and else what servers usually share."""
    profiles, targets = {member.profile for member in members}, {member.target for member in members}
    same = [f"all are {one}" for one in profiles if len(profiles) == 1]
    same += [f"all show it in {one}" for one in targets if len(targets) == 1]
    return ", ".join(same) or "a release, the network, storage, a clock"


def names(members: Iterable[Member]) -> str:
    """The first few by name, the rest by number."""
    everybody = [member.server for member in members]
    shown, more = everybody[:MOST_NAMES], len(everybody) - MOST_NAMES
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
