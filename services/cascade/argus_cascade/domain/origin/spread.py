"""Whom a failure reaches along the dependencies."""

from collections.abc import Sequence

import numpy as np

from argus_cascade.domain.tick import Flags
from argus_cascade.domain.topology import Topology


def reach(servers: Sequence[str], topology: Topology) -> Flags:
    """(server, server) True where the second depends on the first, directly or through others; each reaches itself."""
    dependents: dict[str, list[str]] = {}
    for server, upstream in topology.upstream.items():
        for needed in upstream:
            dependents.setdefault(needed, []).append(server)
    rows = {server: i for i, server in enumerate(servers)}
    found = np.zeros((len(servers), len(servers)), np.bool_)
    for server, i in rows.items():
        found[i, [rows[other] for other in _closure(server, dependents) if other in rows]] = True
    return found


def _closure(server: str, dependents: dict[str, list[str]]) -> set[str]:
    seen, waiting = {server}, [server]
    while waiting:
        for other in dependents.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen
