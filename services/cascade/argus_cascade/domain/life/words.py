"""What is said of a cascade, in plain words."""

from collections.abc import Iterable

from argus_cascade.domain.life.cascade import Cascade
from argus_cascade.domain.life.change import Change, Member
from argus_common.durations import told
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
    if first_origin(cascade.origins) != first_origin(last.origins):
        found.append(f"likeliest origin now {first_origin(cascade.origins)}")
    if cascade.kind != last.kind:
        found.append(f"now looks {cascade.kind.replace('_', ' ')}")
    if cascade.silenced != last.silenced:
        found.append("in maintenance" if cascade.silenced else "maintenance is over")
    if {(f.server, f.state) for f in cascade.followers} != {(f.server, f.state) for f in last.followers}:
        found.append("other servers are expected to follow")
    return found


def look_first(cascade: Cascade) -> str:
    """Where a person should look first."""
    by_name = {member.server: member for member in cascade.members}
    first = by_name.get(first_origin(cascade.origins), cascade.members[0])
    if first.silent:
        return f"{first.server} ({first.profile}): it has stopped reporting."
    return f"{first.server} ({first.profile}): {first.target}, {first.strength:.1f} sigmas beyond its band."


def first_origin(origins: Iterable[object]) -> str:
    """The likeliest origin's name, empty where there is none."""
    return next((str(getattr(origin, "server", "")) for origin in origins), "")


def names(members: Iterable[Member]) -> str:
    """The first few by name, the rest by number."""
    everybody = [member.server for member in members]
    shown, more = everybody[:MOST_NAMES], len(everybody) - MOST_NAMES
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
