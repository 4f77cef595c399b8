"""A cascade as it is known after a step."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from argus_cascade.domain.grouping.joining import OpenCascade
from argus_cascade.domain.grouping.kind import kind_of
from argus_cascade.domain.life.change import Change, Follower, FollowerScore, Kind, Member, Origin
from argus_cascade.domain.life.settings import LifeSettings
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.view import View


@dataclass(frozen=True, slots=True)
class Cascade:
    """``members``: all that ever belonged to it, in the order of their onsets. ``well_since``: server → step since
    which nothing is abnormal about it. ``calm_since``: step since which fewer than two are unwell, None = more are.
    ``foretold``: server → the probability with which it was first named as a follower, until what came of it is scored.
    ``rarity``: −log10 of the chance of the like in a healthy fleet, at the opening. ``taught_by``: past cascades from
    which dependencies between its first members were learned. ``told``: the last event.
    """

    id: str
    fleet: str
    opened: int
    rarity: float
    kind: Kind
    members: tuple[Member, ...]
    well_since: Mapping[str, int] = field(default_factory=dict)
    calm_since: int | None = None
    peak: int = 0
    origins: tuple[Origin, ...] = ()
    followers: tuple[Follower, ...] = ()
    foretold: Mapping[str, float] = field(default_factory=dict)
    record: FollowerScore = field(default_factory=FollowerScore)
    silenced: bool = False
    taught_by: int = 0
    told: Change | None = None

    @classmethod
    def begun(cls, onsets: Mapping[str, int], rarity: float, view: View, topology: Topology) -> Self:
        """A cascade that opens in this step."""
        step, fleet = view.verdict.step, view.verdict.fleet
        members = tuple(member_of(server, onset, step, view) for server, onset in onsets.items())
        identity = f"{fleet}/{step}/{min(onsets)}"
        return cls(identity, fleet, step, rarity, kind_of(onsets, topology), _ordered(members), peak=len(members))

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of its id."""
        return hashlib.sha256(self.id.encode()).hexdigest()[:16]

    @property
    def onsets(self) -> dict[str, int]:
        """Server → onset, of all members."""
        return {member.server: member.onset for member in self.members}

    @property
    def unwell(self) -> tuple[Member, ...]:
        """The members that have not recovered."""
        return tuple(member for member in self.members if not member.recovered)

    def for_grouping(self) -> OpenCascade:
        """What grouping needs to know of it."""
        return OpenCascade(self.id, self.onsets, frozenset(member.server for member in self.unwell))


def followed(
    cascade: Cascade, joining: Mapping[str, int], view: View, topology: Topology, settings: LifeSettings
) -> Cascade:
    """The cascade after this step, ``joining`` (server → onset) being new in it."""
    step = view.verdict.step
    joined = tuple(member_of(server, onset, step, view) for server, onset in joining.items())
    everybody = (*cascade.members, *joined)
    well_since = {
        member.server: cascade.well_since.get(member.server, step)
        for member in everybody
        if not view.abnormal(member.server)
    }
    members = _ordered(tuple(_seen(one, well_since.get(one.server), view, settings) for one in everybody))
    unwell = [member for member in members if not member.recovered]
    calm_since = None
    if len(unwell) < 2:
        calm_since = step if cascade.calm_since is None else cascade.calm_since
    onsets = {member.server: member.onset for member in members}
    return replace(
        cascade,
        members=members,
        well_since=well_since,
        calm_since=calm_since,
        kind=kind_of(onsets, topology),
        peak=max(cascade.peak, len(unwell)),
        silenced=bool(unwell) and all(view.maintenance(member.server, step) for member in unwell),
    )


def member_of(server: str, onset: int, joined: int, view: View) -> Member:
    """A server that joins in this step."""
    target, strength = view.worst(server)
    profile, observed = view.profile(server), view.observed(server, target)
    return Member(server, profile, onset, joined, target, strength, observed, view.silent(server))


def _seen(member: Member, well_since: int | None, view: View, settings: LifeSettings) -> Member:
    recovered = well_since is not None and view.verdict.step - well_since + 1 >= settings.recovery_steps
    target, strength = (member.target, member.strength) if recovered else view.worst(member.server)
    return replace(
        member,
        target=target or member.target,
        strength=strength,
        observed=view.observed(member.server, target),
        silent=view.silent(member.server),
        recovered=recovered,
    )


def _ordered(members: tuple[Member, ...]) -> tuple[Member, ...]:
    return tuple(sorted(members, key=lambda member: (member.onset, member.server)))
