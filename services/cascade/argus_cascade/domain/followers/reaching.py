"""Whom a server's trouble may reach in one go."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from argus_cascade.domain.topology import Topology

PRIOR = 1 / 3
"""Before anything was learned, one dependent in three follows."""
GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Kind:
    """Of a dependency: the profiles at its ends, and whether it is known of the two servers, not of their profiles."""

    upstream: str
    dependent: str
    known: bool


@dataclass(frozen=True, slots=True)
class Reaching:
    """Along the dependencies of ``topology``; along all that could be, with ``anybody``."""

    topology: Topology
    roles: Mapping[str, str]
    anybody: bool = False
    _sizes: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sizes", Counter(self.roles.values()))

    def kind(self, upstream: str, dependent: str) -> Kind | None:
        """The kind of their dependency, None = there is none."""
        p, q = self.role(upstream), self.role(dependent)
        if upstream in self.topology.upstream.get(dependent, ()):
            return Kind(p, q, known=True)
        possible = self.anybody or p in self.topology.profiles.get(q, ())
        return Kind(p, q, known=False) if possible else None

    def kinds(self, upstream: str) -> dict[Kind, int]:
        """The kinds of dependencies that lead to a server, each with how many servers may follow it along them."""
        p = self.role(upstream)
        known = Counter(self.role(one) for one in self.topology.downstream.get(upstream, ()))
        profiles = self._sizes.keys() if self.anybody else self.topology.dependents.get(p, ())
        found = {Kind(p, q, known=True): count for q, count in known.items()}
        return found | {Kind(p, q, known=False): self._sizes[q] - known[q] - (p == q) for q in profiles}

    def prior(self, kind: Kind) -> float:
        """The chance that a dependent follows, before anything was learned: where only profiles are known any of the
        upstream's siblings may be the one that it depends on, and any server at all where nothing is.
        """
        if kind.known:
            return PRIOR
        return PRIOR / max(self._sizes.total() if self.anybody else self._sizes[kind.upstream], 1)

    def of_profiles(self, profiles: Collection[str]) -> list[str]:
        """The servers of these profiles. Linear in the servers."""
        return [server for server, profile in self.roles.items() if profile in profiles]

    @property
    def servers(self) -> int:
        """How many there are."""
        return len(self.roles)

    def role(self, server: str) -> str:
        """Its profile."""
        return self.roles.get(server, GENERIC)
