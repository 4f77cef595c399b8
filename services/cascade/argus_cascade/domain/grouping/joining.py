"""Who joins a cascade that is open, and which cascades turn out to be one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from argus_cascade.domain.topology import Topology


@dataclass(frozen=True, slots=True)
class OpenCascade:
    """What grouping needs to know of a cascade that is open: ``onsets`` of its members, ``unwell`` those that are
    still so.
    """

    id: str
    onsets: Mapping[str, int]
    unwell: frozenset[str]

    def takes(self, onset: int, lag: int) -> bool:
        """An onset is near enough in time to those of its members."""
        return min(self.onsets.values()) - lag <= onset <= max(self.onsets.values()) + lag


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A server of no cascade that stands out. ``rare``: no healthy server is likely to look like it in a window."""

    server: str
    onset: int
    rare: bool


def home(newcomer: Newcomer, cascades: Sequence[OpenCascade], topology: Topology, lag: int) -> str | None:
    """The id of the cascade that a server joins, None = of none.

    The one that it depends on or that depends on it; else, if it is rare, the youngest that had begun and is near in
    time, of those that its profile has to do with, or of all if nothing is known of its dependencies.
    """
    around = topology.around(newcomer.server)
    near = [cascade for cascade in cascades if cascade.takes(newcomer.onset, lag)]
    for cascade in near:
        if not around.isdisjoint(cascade.unwell):
            return cascade.id
    began = [cascade for cascade in near if min(cascade.onsets.values()) <= newcomer.onset]
    if topology.knows(newcomer.server):
        began = [cascade for cascade in began if topology.may_depend(newcomer.server, cascade.unwell)]
    if not newcomer.rare or not began:
        return None
    return max(began, key=lambda cascade: min(cascade.onsets.values())).id


def merging(cascades: Sequence[OpenCascade], topology: Topology) -> list[tuple[str, str]]:
    """(the one that ends, the one that it goes up in): what it began with depends on an earlier member of the other."""
    found: dict[str, str] = {}
    for late in cascades:
        first = min(late.onsets, key=lambda server: (late.onsets[server], server))
        upstream = topology.upstream.get(first, frozenset())
        for early in cascades:
            if early.id == late.id or found.get(early.id) == late.id:
                continue
            causes = upstream & early.unwell
            if any(early.onsets[cause] <= late.onsets[first] for cause in causes):
                found[late.id] = early.id
                break
    return list(found.items())
