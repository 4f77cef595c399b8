"""Whom a failure reaches along the dependencies."""

from collections.abc import Sequence

import numpy as np

from argus_cascade.domain.tick import Flags
from argus_cascade.domain.topology import Names, Topology


def reach(servers: Sequence[str], topology: Topology) -> Flags:
    """(server, server) True where the second depends on the first, directly or through others; each reaches itself.

    Where only profiles are known, it may depend on the first.
    """
    rows = {server: i for i, server in enumerate(servers)}
    profiles = {
        profile: set[str]().union(*(_closure(one, topology.dependents) for one in those))
        for profile, those in topology.dependents.items()
    }
    found = np.zeros((len(servers), len(servers)), np.bool_)
    for server, i in rows.items():
        reached = _closure(server, topology.downstream)
        through = {name for one in reached for name in profiles.get(topology.roles.get(one, ""), ())}
        by_profile = [other for other in servers if topology.roles.get(other, "") in through]
        found[i, [rows[other] for other in (*reached, *by_profile) if other in rows]] = True
    return found


def _closure(name: str, dependents: Names) -> set[str]:
    seen, waiting = {name}, [name]
    while waiting:
        for other in dependents.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen
