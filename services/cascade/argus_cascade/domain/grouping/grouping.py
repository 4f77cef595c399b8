"""From who is abnormal to which of them are one cascade."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.grouping import chance
from argus_cascade.domain.grouping.counts import Counts
from argus_cascade.domain.grouping.episodes import LEVELS, Episodes
from argus_cascade.domain.grouping.joining import Newcomer, OpenCascade, home
from argus_cascade.domain.grouping.links import (
    dependencies,
    dependencies_among,
    parts,
    parts_by_profile,
    size,
    size_by_profile,
)
from argus_cascade.domain.grouping.ordinary import HOUR_SECONDS, OrdinaryWeeks
from argus_cascade.domain.grouping.settings import GroupingSettings
from argus_cascade.domain.tick import Flags, Floats
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.verdict import Verdict

DAY_SECONDS = 86_400
FEW, MUCH_OF_A_FLEET = 10, 0.1
MORE_THAN_CHANCE = 0.01
"""Where much of a fleet stands out, so rare must as many dependencies between them be to count."""
SHARED_LOAD = 1.0
"""Orders of magnitude by which servers that depend on each other must be rarer than the limit: they share work as well,
so healthy ones stand out together more often than if each did so by itself.
"""
SPEAKING = 4
"""Of servers that hang together by their profiles only, so many speak, the rarest: siblings share load, so more of them
are no more evidence.
"""
LIKELY = 0.05
"""Healthy servers expected to look like one that is near in time, above which nearness alone says nothing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server that has begun to stand out, or does so more than before, within the last lag window."""

    server: str
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
    weeks: OrdinaryWeeks = field(default_factory=OrdinaryWeeks)

    def observe(self, verdict: Verdict, cascades: Sequence[OpenCascade]) -> Grouped:
        """Which servers are a new cascade, and which join one of the open ``cascades``."""
        taken = frozenset[str]().union(*(cascade.onsets for cascade in cascades))
        counted = _not_in(verdict.servers, taken)
        fade = 1 / (self.settings.memory_days * self._steps_per_day)
        self.episodes.observe(verdict.step, verdict.servers, rarity_of(verdict), counted, fade)
        window = self._in_window()
        free = [one for one in self._candidates(verdict) if one.server not in taken]
        joining = self._joining(free, len(verdict.servers) * window, cascades)
        free = [one for one in free if one.server not in joining]
        linked, highest = self._linked(len(verdict.servers), free, window)
        by_profile, highest_by_profile = self._linked_by_profile(len(verdict.servers), free, linked, window)
        linked, highest = [*linked, *by_profile], max(highest, highest_by_profile)
        grouped = frozenset[str]().union(*(group.onsets for group in linked))
        rest = [one for one in free if one.server not in grouped]
        hour = verdict.step * self.step_seconds // HOUR_SECONDS
        unlinked, margin = self._anywhere(rest, window * len(verdict.servers), hour)
        self.counts.observe(_reached(free), self.settings.memory_days * self._steps_per_day)
        return Grouped((*linked, *unlinked), joining, max(highest - self._limit() - SHARED_LOAD, margin))

    @property
    def _steps_per_day(self) -> float:
        return DAY_SECONDS / self.step_seconds

    def _in_window(self) -> Floats:
        """(level,) the chance that a healthy server rises to each level within a window."""
        rate = self.episodes.rate(self.settings.incidents_per_server_day / self._steps_per_day, self._steps_per_day)
        return np.minimum(rate * (self.settings.lag_steps + 1), 1.0)

    def _candidates(self, verdict: Verdict) -> list[Candidate]:
        episodes = self.episodes
        rows = np.flatnonzero((episodes.level >= 0) & (episodes.risen >= verdict.step - self.settings.lag_steps))
        return [
            Candidate(verdict.servers[row], int(episodes.level[row]), self._onset(verdict, row))
            for row in rows.tolist()
        ]

    def _onset(self, verdict: Verdict, row: int) -> int:
        """Since when the evidence has grown, but no more than a window before it stood out as it does now."""
        earliest = int(self.episodes.risen[row]) - self.settings.lag_steps
        onset = int(verdict.onset[row])
        return onset if onset >= earliest else max(int(self.episodes.began[row]), earliest)

    def _joining(
        self, free: list[Candidate], expected: Floats, cascades: Sequence[OpenCascade]
    ) -> dict[str, tuple[str, int]]:
        found = {}
        for one in free:
            newcomer = Newcomer(one.server, one.onset, bool(expected[one.level] < LIKELY))
            where = home(newcomer, cascades, self.topology, self.settings.lag_steps)
            if where is not None:
                found[one.server] = (where, one.onset)
        return found

    def _linked(self, servers: int, free: list[Candidate], window: Floats) -> tuple[list[Group], float]:
        """New cascades along dependencies, and the highest rarity."""
        by_name = {one.server: one for one in free}
        together = parts(by_name, self.topology)
        if not together or self._everywhere(servers, by_name):
            return [], 0.0
        alone = set(by_name).difference(*together)
        chances = np.maximum(window, _reached([by_name[server] for server in alone]) / servers)
        groups, highest, known = [], 0.0, size(self.topology)
        for part in together:
            members = [by_name[server] for server in part]
            levels = np.array([one.level for one in members])
            rarity, count = chance.linked(levels, chances, *known, self.settings.fewest_linked)
            highest = max(highest, rarity)
            if rarity >= self._limit() + SHARED_LOAD:
                groups.append(_group(members, rarity, count))
        return groups, highest

    def _linked_by_profile(
        self, servers: int, free: list[Candidate], linked: Sequence[Group], window: Floats
    ) -> tuple[list[Group], float]:
        """New cascades of those in no other whose profiles depend on each other, and the highest rarity."""
        grouped = frozenset[str]().union(*(group.onsets for group in linked))
        by_name = {one.server: one for one in free if one.server not in grouped}
        if not self.topology.profiles or len(by_name) >= _many(servers):
            return [], 0.0
        groups, highest, known = [], 0.0, size_by_profile(self.topology)
        for part in parts_by_profile({name: one.onset for name, one in by_name.items()}, self.topology):
            members = [by_name[server] for server in part]
            levels = np.sort([one.level for one in members])[::-1][:SPEAKING]
            alone = _reached([one for one in by_name.values() if one.server not in part])
            rarity, count = chance.linked(levels, np.maximum(window, alone / servers), *known, self.settings.fewest)
            highest = max(highest, rarity)
            if rarity >= self._limit() + SHARED_LOAD:
                groups.append(_group(members, rarity, count))
        return groups, highest

    def _everywhere(self, servers: int, candidates: Collection[str]) -> bool:
        """So large a share of the fleet stands out that some of them depend on each other by chance alone."""
        if len(candidates) < _many(servers):
            return False
        expected = dependencies(self.topology) * (len(candidates) / servers) ** 2
        return chance.of_count(dependencies_among(candidates, self.topology), expected) > MORE_THAN_CHANCE

    def _anywhere(self, rest: list[Candidate], expected: Floats, hour: int) -> tuple[list[Group], float]:
        """A new cascade of servers of which no dependency explains why they fell ill together, and how many orders of
        magnitude they are beyond what opens one.
        """
        levels = np.array([one.level for one in rest], np.int64)
        mean = np.maximum(expected, self.counts.mean)
        rarity, count = chance.anywhere(levels, mean, self.counts.dispersion(), self.settings.fewest)
        limit = max(self._limit(), self.weeks.limit(hour))
        self.weeks.observe(hour, rarity)
        return ([_group(rest, rarity, count)] if rarity >= limit else []), rarity - limit

    def _limit(self) -> float:
        """The rarity that a healthy fleet reaches as often as the settings allow."""
        per_window = self.settings.false_cascades_per_day * (self.settings.lag_steps + 1) / self._steps_per_day
        return float(-np.log10(per_window))


def rarity_of(verdict: Verdict) -> Floats:
    """(server,) −log10 of the chance of so much evidence in a healthy server."""
    return np.asarray(verdict.score / np.maximum(1 - verdict.score, 1e-9))


def _reached(candidates: Sequence[Candidate]) -> Floats:
    """(level,) how many of the servers have risen to it."""
    levels = np.array([one.level for one in candidates], np.int64)
    return np.asarray(np.bincount(levels, minlength=len(LEVELS))[::-1].cumsum()[::-1], np.float64)


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
