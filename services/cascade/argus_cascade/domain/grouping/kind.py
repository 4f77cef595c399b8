"""One after the other, or everything at once?"""

from collections.abc import Mapping

import numpy as np

from argus_cascade.domain.life.change import Kind
from argus_cascade.domain.topology import Topology

AT_ONCE = 1
"""Onsets that are so many steps apart are the same moment: where a step is cut decides on which side they fall."""
MOST = 0.8
FEWEST_AT_ONCE = 3


def kind_of(onsets: Mapping[str, int], topology: Topology) -> Kind:
    """Propagating, unless most of three servers or more fell ill at one moment and few depend on another of them.

    >>> kind_of({"a": 5, "b": 5, "c": 6}, Topology({}))
    'common_cause'
    >>> kind_of({"a": 5, "b": 5, "c": 6}, Topology.of([("b", "a"), ("c", "a")]))
    'propagating'
    """
    steps = np.sort(np.fromiter(onsets.values(), np.int64))
    most = int(np.ceil(MOST * len(steps)))
    spread = (steps[most - 1 :] - steps[: len(steps) - most + 1]).min()
    if len(steps) < FEWEST_AT_ONCE or spread > AT_ONCE or _explained(onsets, topology) >= MOST:
        return "propagating"
    return "common_cause"


def _explained(onsets: Mapping[str, int], topology: Topology) -> float:
    """Share of the servers but one that depend on another one of them that fell ill no later."""
    explained = sum(
        any(onsets.get(other, onset + 1) <= onset for other in topology.upstream.get(server, ()))
        for server, onset in onsets.items()
    )
    return explained / max(len(onsets) - 1, 1)
