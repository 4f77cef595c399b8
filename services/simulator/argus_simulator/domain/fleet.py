"""Who is in the fleet: names, profiles, habits, and each server's own upstream servers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_simulator.domain.profiles import DEPENDENCIES, PROFILES, Profile

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

UPSTREAMS_PER_SERVER = 2
MOST_USUAL_DISK = 74.0
"""A server that uses more of its disk on an ordinary day gets a larger one."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Server ``downstream`` uses server ``upstream`` (indices)."""

    downstream: int
    upstream: int
    strength: float
    starves: bool


@dataclass(frozen=True, slots=True)
class Fleet:
    """``profile``: (server,) index into `PROFILES`. ``phase_hours``: (server,) shift of its day. ``scale``: (server,)
    how busy it is relative to its profile. ``appetite``: (server,) its memory relative to its profile. ``disk``:
    (server,) usual percentage of its disk. ``growth``: (server,) how fast its disk fills relative to the others.
    ``edges``: which server uses which.
    """

    names: tuple[str, ...]
    profile: Ints
    phase_hours: Doubles
    scale: Doubles
    appetite: Doubles
    disk: Doubles
    growth: Doubles
    edges: tuple[Edge, ...]

    def __len__(self) -> int:
        return len(self.names)

    def profile_of(self, server: int) -> Profile:
        """The role of a server."""
        return PROFILES[int(self.profile[server])]

    def per_profile(self, field: str) -> Doubles:
        """(server,) a field of each server's profile."""
        return np.array([getattr(profile, field) for profile in PROFILES], np.float64)[self.profile]

    def dependents(self, server: int) -> list[Edge]:
        """Who uses this server."""
        return [edge for edge in self.edges if edge.upstream == server]


def make_fleet(size: int, seed: int) -> Fleet:
    """A fleet of ``size`` servers, one at least of each profile where the size allows."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 1]))
    counts = _counts(size)
    profile = np.repeat(np.arange(len(PROFILES)), counts)
    names = tuple(
        f"{PROFILES[p].prefix}{number:0{PROFILES[p].digits}d}"
        for p, count in enumerate(counts)
        for number in range(1, count + 1)
    )
    return Fleet(
        names,
        profile,
        rng.normal(0, 1.0, size),
        np.exp(rng.normal(0, 0.15, size)),
        np.clip(rng.normal(1, 0.09, size), 0.8, 1.15),
        np.clip(np.array([p.disk for p in PROFILES])[profile] + rng.normal(0, 6, size), 5, MOST_USUAL_DISK),
        np.exp(np.clip(rng.normal(0, 0.5, size), -1, 1)),
        tuple(_edges(profile, rng)),
    )


def _counts(size: int) -> list[int]:
    counts = [max(1, int(profile.share * size)) for profile in PROFILES]
    while sum(counts) > size:
        counts[counts.index(max(counts))] -= 1
    counts[0] += size - sum(counts)
    return counts


def _edges(profile: Ints, rng: np.random.Generator) -> list[Edge]:
    kinds = {p.name: i for i, p in enumerate(PROFILES)}
    edges = []
    for dependency in DEPENDENCIES:
        upstream = np.flatnonzero(profile == kinds[dependency.upstream])
        for server in np.flatnonzero(profile == kinds[dependency.downstream]).tolist():
            chosen = rng.choice(upstream, min(UPSTREAMS_PER_SERVER, len(upstream)), replace=False)
            edges += [Edge(server, int(u), dependency.strength, dependency.starves) for u in chosen]
    return edges
