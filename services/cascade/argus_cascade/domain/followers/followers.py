"""Who will follow."""

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


def expected(cascade: Cascade, view: View, topology: Topology, lags: Lags) -> tuple[Follower, ...]:
    """The followers of a cascade after this step, the likeliest first.

    Each dependent of an unwell member may follow it by what was learned of their profiles, given that it has not yet;
    a forecast that it will cross a limit within the hour makes it likelier.

    Args:
        cascade: with its members as of this step.
        view: the step.
        topology: who depends on whom.
        lags: what was learned.
    """
    named = {follower.server for follower in cascade.followers if follower.state == "expected"}
    found = []
    for server, spared in _spared(cascade, view, topology, lags).items():
        probability = 1 - float(spared[-1]) * (1 - view.breach_within_hour(server))
        if probability >= (DROPPED if server in named else WORTH_TELLING):
            found.append(
                Follower(server, round(probability, 3), _seconds(-np.diff(spared, prepend=1.0), view.step_seconds))
            )
    return tuple(sorted(found, key=lambda follower: (-follower.probability, follower.server))[:MOST])


def _spared(cascade: Cascade, view: View, topology: Topology, lags: Lags) -> dict[str, Floats]:
    """Server → (lag,) the chance that it has followed none of its upstreams so many steps from now, 1 first."""
    onsets = cascade.onsets
    found: dict[str, Floats] = {}
    for member in cascade.unwell:
        passed = max(view.verdict.step - member.onset, 0)
        by_profile: dict[str, Floats] = {}
        for server in topology.downstream.get(member.server, ()):
            if server in onsets:
                continue
            profile = view.profile(server)
            if profile not in by_profile:
                by_profile[profile] = _still_to_come(lags.chances(member.profile, profile), passed)
            found[server] = found.get(server, np.ones(LONGEST)) * by_profile[profile]
    return found


def _still_to_come(chances: Floats, passed: int) -> Floats:
    """(lag,) the chance that an upstream is not followed until then, given that it was not for ``passed`` steps."""
    left = np.zeros(LONGEST)
    later = chances[passed + 1 :]
    left[: len(later)] = later / max(1 - chances[: passed + 1].sum(), 1e-9)
    return np.asarray(1 - np.cumsum(left))


def _seconds(chances: Floats, step_seconds: int) -> tuple[float, float, float]:
    """P10, P50, P90 until it falls ill, if it does."""
    total = chances.sum()
    if total <= 0:
        return (float(step_seconds), LONGEST * step_seconds / 2, float(LONGEST * step_seconds))
    reached = np.cumsum(chances) / total
    low, middle, high = (float(np.searchsorted(reached, q - 1e-9) + 1) * step_seconds for q in QUANTILES)
    return low, middle, high
