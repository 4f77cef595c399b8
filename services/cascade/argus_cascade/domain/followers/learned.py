"""Dependencies that nobody wrote down, from who followed whom in past cascades."""

from collections import Counter
from collections.abc import Iterator, Sequence

from scipy.special import betainc, gammainc

from argus_cascade.domain.followers.past import Past
from argus_cascade.domain.followers.reaching import Kind
from argus_cascade.domain.followers.travel import Pair, Travel
from argus_cascade.domain.topology import Topology

BY_CHANCE = 0.001
"""What chance explains with more than this is no dependency."""
REPEATED = 1.5
"""A pair must have followed each other so often, shared out over all that could be the cause: never just once."""
REPEATED_BY_PROFILE = 3.0
MOSTLY = 0.8
"""Of the times that two were ill one after the other, so many at least in this order."""


def dependencies(travel: Travel, pasts: Sequence[Past]) -> Topology:
    """Who seems to depend on whom, given how trouble travelled among anybody.

    Of two servers: the dependent followed repeatedly, hardly ever was ill first, and was drawn in far more often than
    it is without this upstream. Of two profiles: servers of the one followed those of the other far more often than
    any two servers of the fleet follow each other, and after several of them.
    """
    return Topology.of(
        ((dependent, upstream) for upstream, dependent in _pairs(travel, pasts)),
        ((kind.dependent, kind.upstream) for kind in _kinds(travel)),
    )


def _pairs(travel: Travel, pasts: Sequence[Past]) -> Iterator[Pair]:
    everyone = travel.chances.member
    cascades = sum(everyone[next(iter(past.onsets))] > 0 for past in pasts)
    drawn_in = Counter(server for past in pasts for server in past.onsets)
    together = Counter((upstream, dependent) for past in pasts for upstream in past.onsets for dependent in past.onsets)
    servers = max(travel.reaching.servers, 1)
    usual = min(sum(len(past.onsets) for past in pasts) / max(cascades, 1) / servers, 1.0)
    for pair, followed in travel.followed.items():
        upstream, dependent = pair
        elsewhere = cascades - drawn_in[upstream]
        anyway = (drawn_in[dependent] - together[pair] + usual) / (elsewhere + 1)
        ordered = followed >= MOSTLY * (followed + travel.chances.before.get(pair, 0.0))
        if ordered and followed >= REPEATED and _at_least(followed, travel.chances.of(pair), anyway) <= BY_CHANCE:
            yield pair


def _kinds(travel: Travel) -> Iterator[Kind]:
    followed, chances = sum(travel.by_kind.values()), sum(travel.chances.kind.values())
    upstreams: Counter[Kind] = Counter()
    for pair, times in travel.followed.items():
        kind = travel.reaching.kind(*pair)
        if kind is not None and times >= 0.5:
            upstreams[kind] += 1
    for kind, times in travel.by_kind.items():
        expected = travel.chances.kind[kind] * followed / max(chances, 1e-9)
        if times >= REPEATED_BY_PROFILE and upstreams[kind] > 1 and float(gammainc(times, expected)) <= BY_CHANCE:
            yield kind


def _at_least(followed: float, chances: float, rate: float) -> float:
    """The chance that a dependent that follows at this rate does so at least so often."""
    missed = max(chances - followed, 0.0)
    return float(betainc(followed, missed + 1, min(rate, 1.0)))
