"""Who depends on whom: optional knowledge, from a file or learned."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

Names = dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Topology:
    """``upstream``: server → those that it depends on. A failure travels from an upstream to who depends on it.

    ``profiles``: profile → those that it depends on: each of its servers may depend on any server of these. That says
    less than a dependency of a server, and is never spelled out in pairs.
    ``roles``: server → profile, of the servers met so far; it may grow while this is in use.
    ``complete``: servers of which all dependencies are known; None = all of which any is.
    """

    upstream: Names
    profiles: Names = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    complete: frozenset[str] | None = None
    downstream: Names = field(init=False)
    """Server → those that depend on it."""
    dependents: Names = field(init=False)
    """Profile → those that depend on it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "downstream", _turned(self.upstream))
        object.__setattr__(self, "dependents", _turned(self.profiles))

    def around(self, server: str) -> frozenset[str]:
        """Those that it is known to depend on, and those that are known to depend on it."""
        return self.upstream.get(server, _NOBODY) | self.downstream.get(server, _NOBODY)

    def depends(self, server: str) -> bool:
        """It, or its profile, is known to depend on another."""
        return server in self.upstream or self.roles.get(server) in self.profiles

    def knows(self, server: str) -> bool:
        """Who is around it is known, so that it has nothing to do with anybody else."""
        if self.complete is not None:
            return server in self.complete
        profile = self.roles.get(server)
        return bool(self.around(server)) or profile in self.profiles or profile in self.dependents

    def may_depend(self, server: str, on: Collection[str]) -> bool:
        """By its profile, it or one of the others may depend on the other."""
        profile = self.roles.get(server, "")
        near = self.profiles.get(profile, _NOBODY) | self.dependents.get(profile, _NOBODY)
        return bool(near) and any(self.roles.get(other) in near for other in on if other != server)

    def with_roles(self, roles: Mapping[str, str]) -> "Topology":
        """The same for servers of these profiles."""
        return replace(self, roles=roles)

    def beside(self, learned: "Topology") -> "Topology":
        """With what was learned; what is known of a server by this one stays all that there is to know."""
        if not learned:
            return self
        complete = self.complete
        if complete is None:
            complete = frozenset(self.upstream.keys() | self.downstream.keys())
        return Topology(
            _union(self.upstream, learned.upstream), _union(self.profiles, learned.profiles), self.roles, complete
        )

    @classmethod
    def of(cls, edges: Iterable[tuple[str, str]], profiles: Iterable[tuple[str, str]] = ()) -> Self:
        """From pairs (source, target): ``source`` depends on ``target``; likewise of profiles.

        >>> sorted(Topology.of([("web1", "db1"), ("web1", "db2")]).upstream["web1"])
        ['db1', 'db2']
        """
        return cls(_by_source(edges), _by_source(profiles))

    def __bool__(self) -> bool:
        return bool(self.upstream or self.profiles)


_NOBODY: frozenset[str] = frozenset()


def _by_source(pairs: Iterable[tuple[str, str]]) -> Names:
    found: dict[str, set[str]] = {}
    for source, target in pairs:
        found.setdefault(source, set()).add(target)
    return {source: frozenset(targets) for source, targets in found.items()}


def _turned(names: Names) -> Names:
    return _by_source((target, source) for source, targets in names.items() for target in targets)


def _union(one: Names, other: Names) -> Names:
    return {name: one.get(name, _NOBODY) | other.get(name, _NOBODY) for name in one.keys() | other.keys()}
