"""Who will follow."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from argus_cascade.domain.followers.lags import LONGEST, Lags
from argus_cascade.domain.life.cascade import Cascade
from argus_cascade.domain.life.change import Follower
from argus_cascade.domain.tick import Floats
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.view import View

WORTH_TELLING = 0.2
"""A follower less likely is not named."""
DROPPED = 0.1
"""One that was named is withdrawn when it has become less likely than this."""
MOST = 20
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Ahead:
    """(lag,) chances that a server falls ill so many steps from now, 1 first."""

    chances: Floats

    @property
    def probability(self) -> float:
        """That it falls ill at all."""
        return float(self.chances.sum())


def expected(
    cascade: Cascade, view: View, dependents: Mapping[str, frozenset[str]], topology: Topology, lags: Lags
) -> tuple[Follower, ...]:
    """The followers of a cascade after this step, the likeliest first.

    Each dependent of an unwell member may follow it by what was learned of their profiles, given that it has not yet;
    a forecast that it will cross a limit within the hour makes it likelier.

    Args:
        cascade: with its members as of this step.
        view: the step.
        dependents: server → those that depend on it.
        topology: who depends on whom.
        lags: what was learned.
    """
    members = set(cascade.onsets)
    named = {follower.server for follower in cascade.followers if follower.state == "expected"}
    around = set().union(*(dependents.get(member.server, frozenset()) for member in cascade.unwell)) - members
    found = []
    for server in sorted(around):
        ahead = _ahead(server, cascade, view, topology, lags)
        probability = 1 - (1 - ahead.probability) * (1 - view.breach_within_hour(server))
        if probability >= (DROPPED if server in named else WORTH_TELLING):
            found.append(Follower(server, round(probability, 3), _seconds(ahead.chances, view.step_seconds)))
    return tuple(sorted(found, key=lambda follower: (-follower.probability, follower.server))[:MOST])


def _ahead(server: str, cascade: Cascade, view: View, topology: Topology, lags: Lags) -> Ahead:
    """Of several upstreams that are unwell each may be the one that it follows."""
    onsets, spared = cascade.onsets, np.ones(LONGEST)
    for upstream in sorted(topology.upstream[server] & set(onsets)):
        chances = lags.chances(view.profile(upstream), view.profile(server))
        passed = max(view.verdict.step - onsets[upstream], 0)
        left = np.zeros(LONGEST)
        later = chances[passed + 1 :]
        left[: len(later)] = later / max(1 - chances[: passed + 1].sum(), 1e-9)
        spared *= 1 - np.cumsum(left)
    return Ahead(-np.diff(spared, prepend=1.0))


def _seconds(chances: Floats, step_seconds: int) -> tuple[float, float, float]:
    """P10, P50, P90 until it falls ill, if it does."""
    total = chances.sum()
    if total <= 0:
        return (float(step_seconds), LONGEST * step_seconds / 2, float(LONGEST * step_seconds))
    reached = np.cumsum(chances) / total
    low, middle, high = (float(np.searchsorted(reached, q - 1e-9) + 1) * step_seconds for q in QUANTILES)
    return low, middle, high
