"""Rank the candidates for an origin."""

import numpy as np

from argus_cascade.domain.origin.candidate import Candidate
from argus_cascade.domain.origin.departures import Departures
from argus_cascade.domain.origin.lead import lead
from argus_cascade.domain.origin.onset import LARGEST, none_before
from argus_cascade.domain.origin.reasons import reasons
from argus_cascade.domain.origin.signs import LEAST, Signs, signs_of
from argus_cascade.domain.origin.spread import reach
from argus_cascade.domain.tick import Flags, Floats, Steps
from argus_cascade.domain.topology import Topology

UNCONNECTED = 0.1
"""Chance that a departed server which does not depend on the origin departed because of it all the same."""
OUTSIDE = 0.1
"""Weight of a cause that is no candidate. One that departed for sure, before all others and by 3 sigmas, has 4."""
CHANCE = 0.3
"""Weight that each calm server adds to it: among many some stand out by chance."""
SHORTLIST = 50
"""Servers that are compared in pairs."""


def rank_origins(
    departures: Departures, topology: Topology | None = None, symptom: str | None = None
) -> tuple[Candidate, ...]:
    """All the servers as candidates, the likeliest first; equal ones by name.

    A candidate is worth more the likelier it departed at all, the farther it did, and the likelier none did so before
    it. With a topology each departed server that does not depend on it, and which it would leave unexplained, makes
    it up to ten times less likely. With a symptom only what goes with the symptom's course counts, and what the
    symptom depends on. Time grows linearly with the servers; pairs are made of the ``SHORTLIST`` worthiest, and only
    these are given reasons.
    """
    if not departures.servers:
        return ()
    departures = departures.by_name()
    signs = signs_of(departures, symptom)
    chosen = np.argsort(-signs.worth, kind="stable")[:SHORTLIST]
    few, names = signs.of(chosen), [departures.servers[i] for i in chosen]
    counts = few.departed[None, :] * _beside(few.strength)
    first = none_before(few.odds, counts)
    reached = reach(names, topology) if topology else None
    against = np.log(first + LEAST) + _unexplained(counts, reached, names.index(symptom) if symptom in names else None)
    score = signs.worth + against.min()
    score[chosen] = few.worth + against
    ahead = lead(_course(departures, chosen), few.departed)
    depends = np.array([topology is not None and topology.depends(name) for name in names])
    why = reasons(few, first, ahead, reached, depends, symptom=symptom in names)
    told = dict(zip(chosen.tolist(), why, strict=True))
    chance = _probability(score, signs)
    ranked = np.argsort(-score, kind="stable").tolist()
    return tuple(Candidate(departures.servers[i], float(chance[i]), told.get(i, ())) for i in ranked)


def _beside(strength: Floats) -> Floats:
    """(server, other) 0 … 1: a departure that is small beside the server's own counts less."""
    size = np.log1p(strength)
    result: Floats = np.clip(size[None, :] / np.maximum(size[:, None], LEAST), 0.0, 1.0)
    return result


def _unexplained(counts: Floats, reached: Flags | None, symptom: int | None) -> Floats:
    """(server,) log chance of the departures that it does not reach."""
    if reached is None:
        return np.zeros(len(counts))
    missed = np.log(1 - counts * (1 - UNCONNECTED))
    total: Floats = np.where(reached, 0.0, missed).sum(axis=1)
    return total if symptom is None else total + np.where(reached[:, symptom], 0.0, np.log(UNCONNECTED))


def _probability(score: Floats, signs: Signs) -> Floats:
    weight = np.exp(score)
    outside = OUTSIDE + CHANCE * float(np.sum(1 - signs.departed / signs.match))
    result: Floats = weight / (weight.sum() + outside)
    return result


def _course(departures: Departures, rows: Steps) -> Floats:
    """(step, server) the sum of a server's surprises, missing ones left out."""
    result: Floats = np.nansum(np.clip(departures.surprise[:, rows], -LARGEST, LARGEST), axis=2)
    return result
