"""Which servers hang together by dependencies."""

from collections.abc import Collection, Iterable

from argus_cascade.domain.topology import Topology


def parts(servers: Iterable[str], topology: Topology) -> list[list[str]]:
    """The servers in parts, so that a dependency leads from each to another one of its part; those alone left out.

    Linear in the servers and their dependencies.

    >>> parts(["web1", "db1", "web2", "ml1"], Topology.of([("web1", "db1"), ("web2", "db1"), ("ml1", "etl1")]))
    [['db1', 'web1', 'web2']]
    """
    ordered = sorted(servers)
    head = {server: server for server in ordered}
    for server in ordered:
        for other in topology.upstream.get(server, ()):
            if other in head:
                a, b = _head(server, head), _head(other, head)
                head[max(a, b)] = min(a, b)
    found: dict[str, list[str]] = {}
    for server in ordered:
        found.setdefault(_head(server, head), []).append(server)
    return [part for part in found.values() if len(part) > 1]


def dependencies(topology: Topology) -> int:
    """How many there are."""
    return sum(map(len, topology.upstream.values()))


def dependencies_among(servers: Collection[str], topology: Topology) -> int:
    """How many lead from one of the servers to another.

    >>> dependencies_among({"web1", "db1", "ml1"}, Topology.of([("web1", "db1"), ("web1", "db2")]))
    1
    """
    return sum(len(topology.upstream.get(server, frozenset()).intersection(servers)) for server in servers)


def size(topology: Topology) -> tuple[int, float]:
    """Of how many servers a dependency is known, and how many such a server has on average, in both directions.

    >>> size(Topology.of([("web1", "db1"), ("web2", "db1")]))
    (3, 1.3333333333333333)
    """
    servers = len(topology.upstream.keys() | topology.downstream.keys())
    return servers, 2 * dependencies(topology) / max(servers, 1)


def _head(server: str, head: dict[str, str]) -> str:
    while head[server] != server:
        head[server] = head[head[server]]
        server = head[server]
    return server
