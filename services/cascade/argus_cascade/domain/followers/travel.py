"""How often trouble travels from an upstream to who depends on it, and how long that takes: learned from cascades."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.followers.past import Past, weights
from argus_cascade.domain.followers.reaching import Kind, Reaching
from argus_cascade.domain.tick import Floats, Steps

LONGEST = 24
"""Steps from an upstream's trouble until a dependent is drawn in; later nothing follows any more."""
PRIOR_LAG, PRIOR_LAGS = 6, 6.0
"""Before anything was learned it takes up to so many steps, each as likely as the next; that weighs as much as so many
that followed.
"""
LIKE_ITS_KIND = 2.0
"""A pair is like others of its kind as if these had been seen of it in so many cascades."""
OUTSIDE = 0.002
"""Chance per step that a server is drawn in by none of the members that it may follow."""
ROUNDS = 10

Pair = tuple[str, str]
"""Upstream, dependent."""


@dataclass(frozen=True, slots=True)
class Sightings:
    """Members that may have followed others, one row for each of these.

    ``event``: which member; ``pair``, ``kind``: indices of what is learned; ``lag``: steps; ``weight``: older less.
    """

    event: Steps
    pair: Steps
    kind: Steps
    lag: Steps
    weight: Floats


@dataclass(slots=True)
class Chances:
    """How often a dependent could have followed. ``member``: server → weight of the cascades that it was a member of;
    ``before``: pair → … in which the dependent was ill before its upstream. ``kind``: weight of the pairs of each kind.
    """

    member: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    before: defaultdict[Pair, float] = field(default_factory=lambda: defaultdict(float))
    kind: defaultdict[Kind, float] = field(default_factory=lambda: defaultdict(float))

    def of(self, pair: Pair) -> float:
        """Weight of the cascades in which the dependent could have followed."""
        return self.member.get(pair[0], 0.0) - self.before.get(pair, 0.0)

    def take_in(self, upstream: str, reaching: Reaching, weight: float) -> None:
        """A member that all who depend on it could have followed."""
        self.member[upstream] += weight
        for kind, count in reaching.kinds(upstream).items():
            self.kind[kind] += weight * count

    def rule_out(self, upstream: str, dependent: str, reaching: Reaching, weight: float) -> None:
        """One who could not, as it was ill before."""
        self.before[upstream, dependent] += weight
        kind = reaching.kind(upstream, dependent)
        if kind is not None:
            self.kind[kind] -= weight


@dataclass(frozen=True, slots=True)
class Travel:
    """What was learned. ``followed``: pair → how often the dependent was drawn in by its upstream, shared out where it
    had several. ``by_kind``: likewise. ``lags``: kind → (lag,) the chance of each lag, 1 in all.
    """

    reaching: Reaching
    chances: Chances
    followed: dict[Pair, float]
    by_kind: dict[Kind, float]
    lags: dict[Kind, Floats]
    usual_lags: Floats

    def rate(self, kind: Kind) -> float:
        """How often a dependent of this kind follows, 0 … 1."""
        return _share(self.by_kind.get(kind, 0.0), self.chances.kind.get(kind, 0.0), self.reaching.prior(kind))

    def likely(self, upstream: str, dependent: str, kind: Kind) -> float:
        """The chance that the dependent follows its upstream at all."""
        pair = upstream, dependent
        followed = self.followed.get(pair, 0.0) + LIKE_ITS_KIND * self.rate(kind)
        return min(followed / (self.chances.of(pair) + LIKE_ITS_KIND), 1.0)

    def lag(self, kind: Kind) -> Floats:
        """(lag,) the chance that a dependent that follows is drawn in so many steps after its upstream's trouble."""
        return self.lags.get(kind, self.usual_lags)


def learned(pasts: Sequence[Past], reaching: Reaching, half_life_steps: float) -> Travel:
    """What past cascades say of how trouble travels.

    Who followed whom is not seen, only who was ill before: each member is shared out over those that it may have
    followed, by how often and after how long each is followed, and these are learned from the shares, in turns.

    References:
        K. Saito, R. Nakano, M. Kimura, "Prediction of information diffusion probabilities for independent cascade
        model", 2008: the same for one step in time; here with lags, a prior, and causes from outside.
    """
    seen, pairs, kinds, chances = _looked_through(pasts, reaching, half_life_steps)
    pair_kind, prior = np.zeros(len(pairs), np.int64), np.array([reaching.prior(kind) for kind in kinds])
    pair_kind[seen.pair] = seen.kind
    of_pair = np.array([chances.of(pair) for pair in pairs])
    of_kind = np.array([chances.kind.get(kind, 0.0) for kind in kinds])
    by_pair, by_kind, lags = np.zeros(len(pairs)), np.zeros(len(kinds)), usual(np.zeros(LONGEST + 1))
    share = np.zeros(len(seen.pair))
    for _ in range(ROUNDS if len(seen.pair) else 0):
        rate = _shares(by_kind, of_kind, prior)
        likely = np.minimum((by_pair + LIKE_ITS_KIND * rate[pair_kind]) / (of_pair + LIKE_ITS_KIND), 1.0)
        worth = likely[seen.pair] * lags[seen.lag]
        share = seen.weight * worth / (_sums(seen.event, worth)[seen.event] + OUTSIDE)
        by_pair, by_kind = _sums(seen.pair, share), _sums(seen.kind, share)
        lags = usual(_sums(seen.lag, share, LONGEST + 1))
    own = {
        kind: _towards(_sums(seen.lag[seen.kind == k], share[seen.kind == k], LONGEST + 1), lags)
        for k, kind in enumerate(kinds)
    }
    followed = dict(zip(pairs, by_pair.tolist(), strict=True))
    return Travel(reaching, chances, followed, dict(zip(kinds, by_kind.tolist(), strict=True)), own, lags)


def usual(seen: Floats) -> Floats:
    """(lag,) the chance of each lag, from the weight of those that were seen."""
    prior = np.zeros(LONGEST + 1)
    prior[1 : PRIOR_LAG + 1] = 1 / PRIOR_LAG
    return _towards(seen, prior)


def _looked_through(
    pasts: Sequence[Past], reaching: Reaching, half_life_steps: float
) -> tuple[Sightings, list[Pair], list[Kind], Chances]:
    pairs: defaultdict[Pair, int] = defaultdict(lambda: len(pairs))
    kinds: defaultdict[Kind, int] = defaultdict(lambda: len(kinds))
    chances, rows, event = Chances(), list[tuple[float, ...]](), 0
    for past, weight in zip(pasts, weights(pasts, half_life_steps), strict=True):
        for server in past.onsets:
            chances.take_in(server, reaching, weight)
            for other, kind, lag in _causes(server, past, reaching, weight, chances):
                rows.append((event, pairs[other, server], kinds[kind], lag, weight))
            event += 1
    columns = np.array(rows, np.float64).reshape(-1, 5).T
    event_of, pair, of_kind, lags = (column.astype(np.int64) for column in columns[:4])
    return Sightings(event_of, pair, of_kind, lags, columns[4]), list(pairs), list(kinds), chances


def _causes(
    server: str, past: Past, reaching: Reaching, weight: float, chances: Chances
) -> Iterator[tuple[str, Kind, int]]:
    """Those that a member may have followed, the kind of dependency, and the lag; who it can't is taken out of the
    chances. In the same step only a dependency that is known says who was first.
    """
    onset = past.onsets[server]
    for other, begun in past.onsets.items():
        if other == server or begun > onset:
            continue
        kind, lag = reaching.kind(other, server), past.joined[server] - begun
        if begun < onset:
            chances.rule_out(server, other, reaching, weight)
        elif kind is None or not kind.known:
            chances.rule_out(other, server, reaching, weight)
            continue
        if kind is not None and 0 <= lag <= LONGEST:
            yield other, kind, lag


def _sums(place: Steps, weight: Floats, least: int = 0) -> Floats:
    """(place,) the weight at each."""
    return np.bincount(place, weight, least).astype(np.float64)


def _towards(seen: Floats, prior: Floats) -> Floats:
    return np.asarray((seen + PRIOR_LAGS * prior) / (seen.sum() + PRIOR_LAGS))


def _share(followed: float, chances: float, prior: float) -> float:
    return min((followed + 1) / (chances + 1 / prior), 1.0)


def _shares(followed: Floats, chances: Floats, prior: Floats) -> Floats:
    """What `_share` says of each: one that followed is taken to have been seen before, in 1/prior chances."""
    return np.minimum((followed + 1) / (chances + 1 / prior), 1.0)
