"""From who is abnormal to which of them are one cascade."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.grouping import chance
from argus_cascade.domain.grouping.counts import Counts, Usual, lesson, reached
from argus_cascade.domain.grouping.episodes import Episodes
from argus_cascade.domain.grouping.joining import Newcomer, OpenCascade, home
from argus_cascade.domain.grouping.lessons import Lessons
from argus_cascade.domain.grouping.links import (
    dependencies,
    dependencies_among,
    parts,
    parts_by_profile,
    size,
    size_by_profile,
)
from argus_cascade.domain.grouping.peers import peers
from argus_cascade.domain.grouping.recurring import BEYOND, Recurring
from argus_cascade.domain.grouping.settings import GroupingSettings
from argus_cascade.domain.tick import Flags, Floats, Steps
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.verdict import Verdict

HOUR_SECONDS = 3600
DAY_SECONDS = 86_400
FEW, MUCH_OF_A_FLEET = 10, 0.1
MORE_THAN_CHANCE = 0.01
"""Where much of a fleet stands out, so rare must as many dependencies between them be to count."""
BUILDS_UP = 5
"""Steps that evidence takes to build up. A server that has stood out for longer than these and a window does not fall
ill now.
"""
LOOKS = 5.0
"""Chances that a healthy fleet gets in a window to look like a cascade: at every level, and as the window slides."""
WINDOWS = 2
"""After so many windows a step is learned: what is under way has then been told of as a cascade, or not."""
SPEAKING = 4
"""Of servers that hang together by their profiles only, so many speak, the rarest: siblings share load, so more of them
are no more evidence.
"""
SHARED_LOAD = 1.0
"""Orders of magnitude by which servers that hang together by their profiles only must be rarer than the limit: profiles
that depend on each other share work, so their healthy servers stand out together more often than if each did so alone.
"""
LIKELY = 0.05
"""Healthy servers expected to look like one that is near in time, above which nearness alone says nothing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server that has begun to stand out, or does so more than before, within the last lag window. ``group``: of its
    peers.
    """

    server: str
    group: int
    level: int
    onset: int


@dataclass(frozen=True, slots=True)
class Group:
    """Servers that are a cascade of their own. ``rarity``: −log10 of the chance of the like in a healthy fleet."""

    onsets: dict[str, int]
    rarity: float


@dataclass(frozen=True, slots=True)
class Grouped:
    """What one step says. ``joining``: server → id of the open cascade that it joins, with its onset. ``margin``: how
    many orders of magnitude the servers that belong to no cascade are beyond what opens one, < 0 = within.
    """

    opening: tuple[Group, ...]
    joining: dict[str, tuple[str, int]]
    margin: float


@dataclass(slots=True)
class Grouping:
    """Of one fleet. Feed each step once, in order."""

    topology: Topology
    step_seconds: int
    settings: GroupingSettings = field(default_factory=GroupingSettings)
    episodes: Episodes = field(default_factory=Episodes)
    counts: Counts = field(default_factory=Counts)
    lessons: Lessons = field(default_factory=Lessons)
    recurring: Recurring = field(default_factory=Recurring)

    def observe(self, verdict: Verdict, cascades: Sequence[OpenCascade], profiles: Mapping[str, str]) -> Grouped:
        """Which servers are a new cascade, and which join one of the open ``cascades``."""
        if not verdict.servers:
            return Grouped((), {}, -self._limit())
        taken = frozenset[str]().union(*(cascade.onsets for cascade in cascades))
        self.episodes.observe(verdict.step, verdict.servers, rarity_of(verdict))
        group = peers(verdict.servers, profiles)
        usual = self._usual(verdict, taken, group)
        free = [one for one in self._candidates(verdict, group) if one.server not in taken]
        joining = self._joining(free, usual, cascades)
        free = [one for one in free if one.server not in joining]
        linked, highest = self._linked(free, usual)
        by_profile, highest_by_profile = self._linked_by_profile(free, linked, usual)
        linked, highest = [*linked, *by_profile], max(highest, highest_by_profile)
        grouped = frozenset[str]().union(*(group.onsets for group in linked))
        rest = [one for one in free if one.server not in grouped]
        unlinked, margin = self._anywhere(rest, usual, verdict.step)
        self._learn(rest, usual, opening=bool(linked or unlinked))
        return Grouped((*linked, *unlinked), joining, max(highest - self._limit(), margin))

    @property
    def _steps_per_day(self) -> float:
        return DAY_SECONDS / self.step_seconds

    @property
    def _window(self) -> int:
        """Steps in which the members of a cascade follow each other."""
        return self.settings.lag_steps + 1

    def _usual(self, verdict: Verdict, taken: frozenset[str], group: Steps) -> Usual:
        restless = self.episodes.restless(verdict.step - self.settings.lag_steps) & _not_in(verdict.servers, taken)
        least = self.settings.incidents_per_server_day * self._window / self._steps_per_day
        return self.counts.usual(restless, group, least, self._steps_per_day)

    def _learn(self, rest: Sequence[Candidate], usual: Usual, *, opening: bool) -> None:
        if opening:
            self.lessons.drop()
            return
        fade = 1 / (self.settings.memory_days * self._steps_per_day)
        for over in self.lessons.after(lesson(usual, *_columns(rest)), WINDOWS * self._window):
            self.counts.learn(over, fade)

    def _candidates(self, verdict: Verdict, group: Steps) -> list[Candidate]:
        episodes = self.episodes
        risen = episodes.risen >= verdict.step - self.settings.lag_steps
        fresh = episodes.began >= verdict.step - self.settings.lag_steps - BUILDS_UP
        rows = np.flatnonzero((episodes.level >= 0) & risen & fresh)
        return [
            Candidate(verdict.servers[row], int(group[row]), int(episodes.level[row]), self._onset(verdict, row))
            for row in rows.tolist()
        ]

    def _onset(self, verdict: Verdict, row: int) -> int:
        """Since when the evidence has grown, but no more than a window before it stood out as it does now."""
        earliest = int(self.episodes.risen[row]) - self.settings.lag_steps
        onset = int(verdict.onset[row])
        return onset if onset >= earliest else max(int(self.episodes.began[row]), earliest)

    def _joining(
        self, free: list[Candidate], usual: Usual, cascades: Sequence[OpenCascade]
    ) -> dict[str, tuple[str, int]]:
        found = {}
        for one in free:
            newcomer = Newcomer(one.server, one.onset, bool(usual.mean[:, one.level].sum() < LIKELY))
            where = home(newcomer, cascades, self.topology, self.settings.lag_steps)
            if where is not None:
                found[one.server] = (where, one.onset)
        return found

    def _linked(self, free: list[Candidate], usual: Usual) -> tuple[list[Group], float]:
        """New cascades along dependencies, and the highest rarity."""
        by_name = {one.server: one for one in free}
        together = parts(by_name, self.topology)
        servers = len(usual.group)
        if not together or self._everywhere(servers, by_name):
            return [], 0.0
        linked = frozenset[str]().union(*together)
        alone = [one.level for one in free if one.server not in linked]
        groups, highest, known = [], 0.0, size(self.topology)
        for part in together:
            members = [by_name[server] for server in part]
            levels = np.array([one.level for one in members])
            chances = self._chances(members, alone, usual)
            rarity, count = chance.linked(levels, chances, *known, self.settings.fewest_linked)
            highest = max(highest, rarity)
            if rarity >= self._limit():
                groups.append(_group(members, rarity, count))
        return groups, highest

    def _linked_by_profile(
        self, free: list[Candidate], linked: Sequence[Group], usual: Usual
    ) -> tuple[list[Group], float]:
        """New cascades of those in no other whose profiles depend on each other, and the highest rarity, which is told
        less `SHARED_LOAD`.
        """
        grouped = frozenset[str]().union(*(group.onsets for group in linked))
        by_name = {one.server: one for one in free if one.server not in grouped}
        if not self.topology.profiles or len(by_name) >= _many(len(usual.group)):
            return [], 0.0
        groups, highest, known = [], 0.0, size_by_profile(self.topology)
        for part in parts_by_profile({name: one.onset for name, one in by_name.items()}, self.topology):
            members = [by_name[server] for server in part]
            levels = np.sort([one.level for one in members])[::-1][:SPEAKING]
            chances = self._chances(members, [one.level for name, one in by_name.items() if name not in part], usual)
            rarity, count = chance.linked(levels, chances, *known, self.settings.fewest)
            rarity -= SHARED_LOAD
            highest = max(highest, rarity)
            if rarity >= self._limit():
                groups.append(_group(members, rarity, count))
        return groups, highest

    def _chances(self, members: Sequence[Candidate], alone: Sequence[int], usual: Usual) -> Floats:
        """(level,) that a server like one of these rises to it, as this fleet usually does or as the others do now;
        ``alone``: levels of those others.
        """
        likely = usual.chance[[one.group for one in members]].max(axis=0)
        return np.asarray(np.maximum(likely, reached(np.array(alone, np.int64)) / len(usual.group)))

    def _everywhere(self, servers: int, candidates: Collection[str]) -> bool:
        """So large a share of the fleet stands out that some of them depend on each other by chance alone."""
        if len(candidates) < _many(servers):
            return False
        expected = dependencies(self.topology) * (len(candidates) / servers) ** 2
        return chance.of_count(dependencies_among(candidates, self.topology), expected) > MORE_THAN_CHANCE

    def _anywhere(self, rest: list[Candidate], usual: Usual, step: int) -> tuple[list[Group], float]:
        """A new cascade of servers of which no dependency explains why they fell ill together, and how many orders of
        magnitude they are beyond what opens one.
        """
        levels, groups = _columns(rest)
        rarity, count = chance.anywhere(levels, groups, usual.mean.sum(axis=0), usual.together, self.settings.fewest)
        group = _group(rest, rarity, count)
        hour = step * self.step_seconds // HOUR_SECONDS
        limit = max(self._limit(), self.recurring.limit(hour, group.onsets))
        if rarity >= self._limit() - BEYOND:
            self.recurring = self.recurring.observed(hour, rarity, group.onsets)
        return ([group] if rarity >= limit else []), rarity - limit

    def _limit(self) -> float:
        """The rarity that a healthy fleet reaches as often as the settings allow."""
        per_window = self.settings.false_cascades_per_day * (self.settings.lag_steps + 1) / self._steps_per_day
        return float(-np.log10(per_window / LOOKS))


def rarity_of(verdict: Verdict) -> Floats:
    """(server,) −log10 of the chance of so much evidence in a healthy server."""
    return np.asarray(verdict.score / np.maximum(1 - verdict.score, 1e-9))


def _columns(candidates: Sequence[Candidate]) -> tuple[Steps, Steps]:
    """(candidate,) their levels, and their groups."""
    levels, groups = ([one.level for one in candidates], [one.group for one in candidates])
    return np.array(levels, np.int64), np.array(groups, np.int64)


def _many(servers: int) -> float:
    """Where so many stand out, something concerns the fleet."""
    return max(FEW, MUCH_OF_A_FLEET * servers)


def _not_in(servers: tuple[str, ...], taken: frozenset[str]) -> Flags:
    if not taken:
        return np.ones(len(servers), np.bool_)
    return np.array([server not in taken for server in servers], np.bool_)


def _group(members: list[Candidate], rarity: float, count: int) -> Group:
    """Of the ``count`` that stand out most, and those that stand out as much."""
    if not count:
        return Group({}, 0.0)
    least = sorted((one.level for one in members), reverse=True)[count - 1]
    return Group({one.server: one.onset for one in members if one.level >= least}, rarity)
