"""Where a cascade may have begun, by onsets alone."""

from collections.abc import Mapping

from argus_cascade.domain.life.change import Origin
from argus_cascade.domain.topology import Topology


def earliest(onsets: Mapping[str, int], topology: Topology) -> tuple[Origin, ...]:
    """The earliest first; of equals, and of those a step later, who is upstream of more of the others."""
    downstream = dict.fromkeys(onsets, 0)
    for server in onsets:
        for upstream in topology.upstream.get(server, ()):
            if upstream in downstream:
                downstream[upstream] += 1
    first = min(onsets.values())
    weight = {s: 0.5 ** (onset - first) * (1 + downstream[s]) for s, onset in onsets.items()}
    total = sum(weight.values())
    ranked = sorted(onsets, key=lambda server: (-weight[server], server))
    return tuple(Origin(s, round(weight[s] / total, 4), ("earliest onset",)) for s in ranked[:5])
