"""Which servers hang together by dependencies."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

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
                _join(server, other, head)
    return _by_head(ordered, head)


def parts_by_profile(onsets: Mapping[str, int], topology: Topology) -> list[list[str]]:
    """The servers in parts, so that each may depend on another one of its part that fell ill no later, or the other way
    round; those alone left out. ``onsets``: server → step.

    Linear in the servers and in the dependencies between profiles: all that fell ill after the first server of a
    profile hang together with it, so no pairs are made.

    >>> topology = Topology.of((), [("web", "db")]).with_roles({"web1": "web", "web2": "web", "db1": "db", "db2": "db"})
    >>> parts_by_profile({"web1": 5, "db1": 6, "web2": 7, "db2": 8}, topology)
    [['db1', 'web2']]
    """
    ordered = sorted(onsets, key=lambda server: (onsets[server], server))
    head = {server: server for server in ordered}
    by_profile: dict[str, list[str]] = {}
    for server in ordered:
        by_profile.setdefault(topology.roles.get(server, ""), []).append(server)
    for profile in sorted(topology.profiles.keys() & by_profile.keys()):
        for needed in sorted(topology.profiles[profile] & by_profile.keys()):
            _join_in_order(by_profile[needed], by_profile[profile], onsets, head)
    return _by_head(sorted(ordered), head)


def dependencies(topology: Topology) -> int:
    """How many are known of servers."""
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


def size_by_profile(topology: Topology) -> tuple[int, float]:
    """Of how many servers the profile depends on another or the other way round, and on how many servers each may
    depend on average, in both directions. Linear in the servers.

    >>> size_by_profile(Topology.of((), [("web", "db")]).with_roles({"web1": "web", "web2": "web", "db1": "db"}))
    (3, 1.3333333333333333)
    """
    count = Counter(topology.roles.values())
    servers = sum(count[profile] for profile in topology.profiles.keys() | topology.dependents.keys())
    pairs = sum(count[profile] * count[needed] for profile, on in topology.profiles.items() for needed in on)
    return servers, 2 * pairs / max(servers, 1)


def _join_in_order(needed: list[str], depending: list[str], onsets: Mapping[str, int], head: dict[str, str]) -> None:
    """Join who began no later than some dependent, and who depends and began no earlier than some needed; each list in
    the order of onsets.
    """
    first, last = needed[0], depending[-1]
    if onsets[first] > onsets[last] or first == last:
        return
    for server in depending:
        if onsets[server] >= onsets[first] and server != first:
            _join(server, first, head)
    for server in needed:
        if onsets[server] <= onsets[last] and server != last:
            _join(server, last, head)


def _join(one: str, other: str, head: dict[str, str]) -> None:
    a, b = _head(one, head), _head(other, head)
    head[max(a, b)] = min(a, b)


def _by_head(ordered: list[str], head: dict[str, str]) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for server in ordered:
        found.setdefault(_head(server, head), []).append(server)
    return [part for part in found.values() if len(part) > 1]


def _head(server: str, head: dict[str, str]) -> str:
    while head[server] != server:
        head[server] = head[head[server]]
        server = head[server]
    return server
