"""The cascade detector of one fleet: from one tick to what is told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from argus_cascade.domain import snapshots
from argus_cascade.domain.evidence import Evidence, EvidenceSettings
from argus_cascade.domain.followers import Forecasts, Knowledge, expected, remembered, taught_by
from argus_cascade.domain.followers.settling import ended, settled
from argus_cascade.domain.grouping import Grouped, Grouping, GroupingSettings
from argus_cascade.domain.grouping.joining import merging
from argus_cascade.domain.health import health, risk, share_abnormal
from argus_cascade.domain.life.cascade import Cascade, followed
from argus_cascade.domain.life.change import Changed, Origin
from argus_cascade.domain.life.life import opened, over, resolved, updated
from argus_cascade.domain.life.settings import LifeSettings
from argus_cascade.domain.origin import rank_origins
from argus_cascade.domain.origin.departures import Departures
from argus_cascade.domain.pit import surprises
from argus_cascade.domain.recent import LENGTH, Recent
from argus_cascade.domain.tick import FleetTick
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.verdict import Verdict
from argus_cascade.domain.view import Maintenance, View, no_maintenance

NO_PROFILES: Mapping[str, str] = {}
MOST_ORIGINS = 5
BEFORE_ONSET = 2
"""Steps before the first onset in which the origin may have departed already."""


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """What can be chosen, by part. ``learn_topology``: who depends on whom is learned from cascades as well."""

    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    grouping: GroupingSettings = field(default_factory=GroupingSettings)
    life: LifeSettings = field(default_factory=LifeSettings)
    learn_topology: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a step has brought. ``health``: 0 … 100. ``share_abnormal``: of the servers, 0 … 1. ``risk``: how likely it
    is that a cascade is under way, 0 … 1: 0.5 where one is opened. ``forecasts``: how followers were foretold so far.
    """

    changes: tuple[Changed, ...]
    health: float
    share_abnormal: float
    risk: float
    verdict: Verdict
    forecasts: Forecasts


class CascadeDetector:
    """Of one fleet. Feed each step once, in order; what is told of a step depends on nothing after it."""

    def __init__(self, settings: DetectorSettings, topology: Topology) -> None:
        self._settings, self._told = settings, topology
        self._knowledge = Knowledge(topology, learn=settings.learn_topology)
        self._known = self._knowledge.now((), {}, 1)
        self._evidence: Evidence | None = None
        self._grouping: Grouping | None = None
        self._state = snapshots.State()
        self._recent = Recent()

    def tick(self, tick: FleetTick, maintenance: Maintenance = no_maintenance) -> Report:
        """Take in the forecasts of one step.

        Args:
            tick: later than the one before. Where it has other targets, evidence is gathered anew.
            maintenance: (server, step) whether somebody works there.
        """
        if self._evidence is None or self._evidence.targets != tick.targets:
            self._evidence = Evidence(tick.fleet, tick.targets, tick.harm, self._settings.evidence)
        surprise = surprises(tick)
        self._state.profiles.update(zip(tick.servers, tick.profiles, strict=True))
        verdict = self._evidence.observe(tick.step, tick.servers, surprise)
        return self._after(View(verdict, tick.step_seconds, self._state.profiles, tick, maintenance))

    def observe(
        self,
        verdict: Verdict,
        step_seconds: int,
        maintenance: Maintenance = no_maintenance,
        profiles: Mapping[str, str] = NO_PROFILES,
    ) -> Report:
        """Take in what the evidence says of one step, where there are no forecasts. ``profiles``: server → profile."""
        self._state.profiles = {**dict.fromkeys(verdict.servers, "generic"), **self._state.profiles, **profiles}
        return self._after(View(verdict, step_seconds, self._state.profiles, None, maintenance))

    def snapshot(self) -> bytes:
        """Everything it knows; `restore` gives a detector with the same future."""
        return snapshots.packed(self._evidence, self._grouping, self._recent, self._state)

    @classmethod
    def restore(cls, snapshot: bytes, settings: DetectorSettings, topology: Topology) -> Self:
        """A detector that goes on from a `snapshot`.

        Raises:
            ValueError: the snapshot is of a version that is not understood.
        """
        found = cls(settings, topology)
        known = snapshots.unpacked(snapshot, settings.evidence, settings.grouping, topology)
        found._evidence, found._grouping, found._recent, found._state = known
        return found

    @property
    def _topology(self) -> Topology:
        return self._known.topology

    def _after(self, view: View) -> Report:
        self._known = self._knowledge.now(self._state.pasts, self._state.profiles, view.step_seconds)
        if self._grouping is None:
            self._grouping = Grouping(self._topology, view.step_seconds, self._settings.grouping)
        self._grouping.topology = self._topology
        self._recent.observe(view.verdict)
        before = self._state.cascades
        grouped = self._grouping.observe(view.verdict, [cascade.for_grouping() for cascade in before], view.profiles)
        going_on, changes = self._go_on(before, grouped, view)
        new, openings = self._open(grouped, view)
        self._state.cascades = (*going_on, *new)
        share = share_abnormal(view.verdict)
        likely = risk(grouped.margin, open_now=bool(self._state.cascades))
        return Report((*changes, *openings), health(share, likely), share, likely, view.verdict, self._state.forecasts)

    def _go_on(self, before: Sequence[Cascade], grouped: Grouped, view: View) -> tuple[list[Cascade], list[Changed]]:
        """The cascades that stay open, and what is told of all that were."""
        now = [self._followed(cascade, grouped, view) for cascade in before]
        into = dict(merging([cascade.for_grouping() for cascade in now], self._topology))
        now = [_with_members_of(cascade, [one for one in now if into.get(one.id) == cascade.id]) for cascade in now]
        left: list[Cascade] = []
        changes: list[Changed] = []
        for cascade in now:
            if cascade.id in into or over(cascade, view.verdict.step, self._settings.life):
                changes.append(self._resolved(cascade, view, into.get(cascade.id)))
                continue
            told, event = updated(cascade, view, self._settings.life)
            left.append(told)
            changes += [event] if event else []
        return left, changes

    def _open(self, grouped: Grouped, view: View) -> tuple[list[Cascade], list[Changed]]:
        new: list[Cascade] = []
        changes: list[Changed] = []
        for group in grouped.opening:
            begun = Cascade.begun(group.onsets, group.rarity, view, self._topology)
            cascade = self._outlook(replace(begun, taught_by=taught_by(group.onsets, self._known)), view)
            told, event = opened(cascade, view)
            new.append(told)
            changes.append(event)
        return new, changes

    def _followed(self, cascade: Cascade, grouped: Grouped, view: View) -> Cascade:
        joining = {server: onset for server, (where, onset) in grouped.joining.items() if where == cascade.id}
        return self._outlook(followed(cascade, joining, view, self._topology, self._settings.life), view)

    def _outlook(self, cascade: Cascade, view: View) -> Cascade:
        """With the origin candidates and followers of this step."""
        if _origin_is_open(cascade, view.verdict.step):
            cascade = replace(cascade, origins=self._origins(cascade, view))
        others = (one.onsets for one in self._state.cascades if one.id != cascade.id)
        ahead = expected(cascade, view, self._known, frozenset[str]().union(*others))
        cascade, self._state.forecasts = settled(cascade, ahead, self._state.forecasts)
        return cascade

    def _origins(self, cascade: Cascade, view: View) -> tuple[Origin, ...]:
        """The likeliest of the members that the evidence still knows."""
        rows = {member.server: view.row(member.server) for member in cascade.members}
        known = {server: row for server, row in rows.items() if row is not None}
        surprise = self._recent.of(list(known.values()))
        first = cascade.members[0].onset - view.verdict.step - BEFORE_ONSET
        since = max(len(surprise) - 1 + first, 0)
        departures = Departures(tuple(known), surprise, since, np.empty((*surprise.shape[:2], 0)))
        ranked = rank_origins(departures, self._topology or None)
        return tuple(
            Origin(one.server, one.probability, tuple(reason.value for reason in one.reasons))
            for one in ranked[:MOST_ORIGINS]
        )

    def _resolved(self, cascade: Cascade, view: View, merged_into: str | None) -> Changed:
        if merged_into is None:
            cascade, self._state.forecasts = ended(cascade, self._state.forecasts)
            self._state.pasts = remembered(self._state.pasts, cascade)
        return resolved(cascade, view, merged_into)


def _origin_is_open(cascade: Cascade, step: int) -> bool:
    """Members have joined since the last event, and how it began is still remembered."""
    if cascade.told is None:
        return True
    return len(cascade.members) > len(cascade.told.members) and step - cascade.members[0].onset < LENGTH - BEFORE_ONSET


def _with_members_of(cascade: Cascade, others: Sequence[Cascade]) -> Cascade:
    if not others:
        return cascade
    known = set(cascade.onsets)
    more = [member for other in others for member in other.members if member.server not in known]
    everybody = sorted((*cascade.members, *more), key=lambda member: (member.onset, member.server))
    foretold = {server: said for one in (*others, cascade) for server, said in one.foretold.items()}
    peak = max(cascade.peak, sum(not m.recovered for m in everybody))
    return replace(cascade, members=tuple(everybody), peak=peak, foretold=foretold)
