"""Who depends on whom: optional knowledge, from a file or learned."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Topology:
    """``upstream``: server → those that it depends on. A failure travels from an upstream to who depends on it."""

    upstream: dict[str, frozenset[str]]
    downstream: dict[str, frozenset[str]] = field(init=False)
    """Server → those that depend on it."""

    def __post_init__(self) -> None:
        found: dict[str, set[str]] = {}
        for source, targets in self.upstream.items():
            for target in targets:
                found.setdefault(target, set()).add(source)
        object.__setattr__(self, "downstream", {target: frozenset(sources) for target, sources in found.items()})

    def around(self, server: str) -> frozenset[str]:
        """Those that it depends on, and those that depend on it."""
        return self.upstream.get(server, _NOBODY) | self.downstream.get(server, _NOBODY)

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

    def __bool__(self) -> bool:
        return bool(self.upstream)


_NOBODY: frozenset[str] = frozenset()
