"""How often trouble travels from an upstream to who depends on it, and how long that takes: learned from cascades."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.tick import Floats
from argus_cascade.domain.topology import Topology

LONGEST = 24
"""Lags beyond, in steps, count as this one; later nothing follows any more."""
PRIOR_FOLLOWED, PRIOR_NOT = 1.0, 2.0
"""Before anything was learned, one dependent in three follows."""
PRIOR_LAG = 6
"""…within this many steps, each as likely as the next."""

Pair = str
"""``upstream profile>dependent profile``."""


@dataclass(frozen=True, slots=True)
class Travel:
    """``followed``: (lag,) of the dependents that fell ill, how many did so many steps after their upstream, 0 first.
    ``spared``: those that did not.
    """

    followed: tuple[float, ...] = (0.0,) * (LONGEST + 1)
    spared: float = 0.0


@dataclass(slots=True)
class Lags:
    """What was learned of each pair of profiles."""

    travels: dict[Pair, Travel] = field(default_factory=dict)

    def learn(self, onsets: Mapping[str, int], profiles: Mapping[str, str], topology: Topology) -> None:
        """Take in a cascade that is over.

        Args:
            onsets: server → step, of its members.
            profiles: server → profile, of all that depend on them too.
            topology: who depends on whom.
        """
        for dependent, upstream in topology.upstream.items():
            causes = [one for one in upstream if one in onsets and onsets[one] <= onsets.get(dependent, onsets[one])]
            if not causes:
                continue
            cause = min(causes, key=lambda one: (onsets[one], one))
            lag = None if dependent not in onsets else min(onsets[dependent] - onsets[cause], LONGEST)
            self._count(pair(profiles.get(cause, "generic"), profiles.get(dependent, "generic")), lag)

    def chances(self, upstream: str, dependent: str) -> Floats:
        """(lag,) that a dependent falls ill so many steps after its upstream; the sum is how likely it is at all."""
        travel = self.travels.get(pair(upstream, dependent), Travel())
        prior = np.zeros(LONGEST + 1)
        prior[1 : PRIOR_LAG + 1] = PRIOR_FOLLOWED / PRIOR_LAG
        followed = np.array(travel.followed) + prior
        return np.asarray(followed / (followed.sum() + travel.spared + PRIOR_NOT))

    def _count(self, of: Pair, lag: int | None) -> None:
        travel = self.travels.get(of, Travel())
        followed = list(travel.followed)
        if lag is not None:
            followed[lag] += 1
        self.travels[of] = Travel(tuple(followed), travel.spared + (lag is None))


def pair(upstream: str, dependent: str) -> Pair:
    """The name under which a pair of profiles is kept."""
    return f"{upstream}>{dependent}"
