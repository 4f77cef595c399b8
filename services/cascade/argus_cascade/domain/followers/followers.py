"""Who will follow."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from argus_cascade.domain.followers.knowledge import Known
from argus_cascade.domain.followers.reaching import Kind
from argus_cascade.domain.followers.reasons import why
from argus_cascade.domain.followers.travel import LONGEST, Travel
from argus_cascade.domain.life.cascade import Cascade
from argus_cascade.domain.life.change import Follower, Member
from argus_cascade.domain.tick import Floats
from argus_cascade.domain.view import View

WORTH_TELLING = 0.2
"""A follower less likely is not named."""
DROPPED = 0.1
"""One that was named is withdrawn when it has become less likely than this."""
MOST = 20
HIT, TELLING = 0.5, 3.5
"""Share of the followers to come that are hit already; and the rarity beyond which more says no more."""
NEGLIGIBLE = 0.005
"""Servers of a profile that are each less likely than this to follow are left out, but for those that did before: what
one does by itself would not make it worth telling.
"""
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Prospect:
    """A server that may be drawn in. ``spared``: (lag,) the chance that it is not until so many steps from now.
    ``upstream``: the unwell member that it most likely follows.
    """

    spared: Floats
    upstream: str


def expected(cascade: Cascade, view: View, known: Known, taken: Collection[str] = frozenset()) -> tuple[Follower, ...]:
    """The followers of a cascade after this step, the likeliest first.

    Each dependent of an unwell member may follow it by what was learned of the two, given that it has not yet. What it
    does itself makes that likelier: it begins to stand out, or is forecast to cross a limit within the hour.

    Args:
        cascade: with its members as of this step.
        view: the step.
        known: who depends on whom, and how trouble travels.
        taken: servers that belong to another cascade.
    """
    named = {follower.server for follower in cascade.followers if follower.state == "expected"}
    found = []
    for server, prospect in _prospects(cascade, view, known.travel, taken).items():
        probability = _weighed(1 - float(prospect.spared[-1]), server, view)
        if probability >= (DROPPED if server in named else WORTH_TELLING):
            when = _seconds(-np.diff(prospect.spared, prepend=1.0), view.step_seconds)
            found.append(Follower(server, round(probability, 3), when, reason=why(prospect.upstream, server, known)))
    return tuple(sorted(found, key=lambda follower: (-follower.probability, follower.server))[:MOST])


def _weighed(likely: float, server: str, view: View) -> float:
    """The probability, given what the server itself does."""
    odds = likely / max(1 - likely, 1e-9) * _stands_out(view.rarity(server))
    return 1 - (1 - view.breach_within_hour(server)) / (1 + odds)


def _stands_out(rarity: float) -> float:
    """By how much its own evidence changes the odds that a server is drawn in.

    Of those that will be, half are taken to be hit already, and these to stand out as far as one can tell without
    knowing how failures look: f(p) = 1/(2 √p) for the chance p of so much evidence in a healthy server.

    References:
        T. Sellke, M. Bayarri, J. Berger, "Calibration of p values for testing precise null hypotheses", 2001; V. Vovk,
        R. Wang, "E-values: calibration, combination and applications", 2021, the calibrator κ p^(κ − 1) with κ = 1/2.
    """
    return 1 - HIT + HIT * 0.5 * 10 ** (min(rarity, TELLING) / 2)


def _prospects(cascade: Cascade, view: View, travel: Travel, taken: Collection[str]) -> dict[str, Prospect]:
    onsets = cascade.onsets
    spared: dict[str, Floats] = {}
    strongest: defaultdict[str, tuple[float, str]] = defaultdict(lambda: (0.0, ""))
    for member in cascade.unwell:
        passed = max(view.verdict.step - member.onset, 0)
        for server, chances in _dependents(member, travel):
            if server in onsets or server in taken:
                continue
            left = _still_to_come(chances, passed)
            spared[server] = spared.get(server, np.ones(LONGEST)) * left
            strongest[server] = max(strongest[server], (1 - float(left[-1]), member.server))
    return {server: Prospect(left, strongest[server][1]) for server, left in spared.items()}


def _dependents(member: Member, travel: Travel) -> Iterator[tuple[str, Floats]]:
    """Who depends on a member, each with the (lag,) chance that it is drawn in so many steps after the member's onset.

    Where nothing is known of two servers but their profiles, all siblings that have never been seen together with the
    member are alike.
    """
    reaching, topology = travel.reaching, travel.reaching.topology
    role = reaching.role(member.server)
    worthwhile = {
        profile
        for profile in topology.dependents.get(role, ())
        if travel.likely(member.server, "", Kind(role, profile, known=False)) >= NEGLIGIBLE
    }
    seen_before = [server for upstream, server in travel.followed if upstream == member.server]
    siblings = (*seen_before, *(reaching.of_profiles(worthwhile) if worthwhile else ()))
    alike: dict[object, Floats] = {}
    for server in {**dict.fromkeys(sorted(topology.downstream.get(member.server, ()))), **dict.fromkeys(siblings)}:
        kind = reaching.kind(member.server, server)
        if kind is None or server == member.server:
            continue
        seen = (member.server, server) in travel.followed
        key = (kind, server) if seen else (kind, travel.chances.before.get((member.server, server), 0.0))
        if key not in alike:
            alike[key] = travel.likely(member.server, server, kind) * travel.lag(kind)
        yield server, alike[key]


def _still_to_come(chances: Floats, passed: int) -> Floats:
    """(lag,) the chance that an upstream is not followed until then, given that it was not for ``passed`` steps."""
    left = np.zeros(LONGEST)
    later = chances[passed + 1 :]
    left[: len(later)] = later / max(1 - chances[: passed + 1].sum(), 1e-9)
    return np.asarray(1 - np.cumsum(left))


def _seconds(chances: Floats, step_seconds: int) -> tuple[float, float, float]:
    """P10, P50, P90 until it is drawn in, if it is."""
    total = chances.sum()
    if total <= 0:
        return (float(step_seconds), LONGEST * step_seconds / 2, float(LONGEST * step_seconds))
    reached = np.cumsum(chances) / total
    low, middle, high = (float(np.searchsorted(reached, q - 1e-9) + 1) * step_seconds for q in QUANTILES)
    return low, middle, high
