"""Who depends on whom: optional knowledge, from a file or learned."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Topology:
    """``upstream``: server → those that it depends on. A failure travels from an upstream to who depends on it."""

    upstream: dict[str, frozenset[str]]
    servers: frozenset[str] = field(init=False)
    """Those of which a dependency is known, in either direction."""

    def __post_init__(self) -> None:
        known = frozenset(self.upstream).union(*self.upstream.values())
        object.__setattr__(self, "servers", known)

    @classmethod
    def of(cls, edges: Iterable[tuple[str, str]]) -> Self:
        """From pairs (source, target): ``source`` depends on ``target``.

        >>> sorted(Topology.of([("web1", "db1"), ("web1", "db2")]).upstream["web1"])
        ['db1', 'db2']
        """
        found: dict[str, set[str]] = {}
        for source, target in edges:
            found.setdefault(source, set()).add(target)
        return cls({source: frozenset(targets) for source, targets in found.items()})

    def dependents(self) -> dict[str, frozenset[str]]:
        """Server → those that depend on it."""
        found: dict[str, set[str]] = {}
        for server, upstream in self.upstream.items():
            for other in upstream:
                found.setdefault(other, set()).add(server)
        return {server: frozenset(others) for server, others in found.items()}

    def __bool__(self) -> bool:
        return bool(self.upstream)
