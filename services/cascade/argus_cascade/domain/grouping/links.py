"""Which servers hang together by dependencies."""

from collections.abc import Iterable

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


def degree(topology: Topology, servers: int) -> float:
    """Dependencies that a server has on average, in both directions."""
    return 2 * sum(map(len, topology.upstream.values())) / max(servers, 1)


def _head(server: str, head: dict[str, str]) -> str:
    while head[server] != server:
        head[server] = head[head[server]]
        server = head[server]
    return server
