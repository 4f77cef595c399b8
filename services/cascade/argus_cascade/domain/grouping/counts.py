"""How many servers rise within a window on ordinary days, by how restless their peers are at the time."""

from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.grouping.episodes import LEVELS
from argus_cascade.domain.grouping.peers import FLEET_WORTH
from argus_cascade.domain.tick import Flags, Floats, Steps

KNOTS = 8
SHARES = (2.0 ** np.arange(KNOTS) - 1) / 100
"""Shares of restless servers at which chances are learned: 0, 1, 3, 7, 15, 31, 63, 127 %; between, a mixture of two."""
LEAST_SHARE = 0.003
"""Taken for the first in place of 0, where chances are drawn to those at other shares."""
USUAL_SHARE = 0.15
PRIOR_CHANCE, PRIOR_POWER = 0.01, 3.0
"""Chance that a server of any fleet rises to the lowest level within a window while a usual share is restless, and how
fast it falls with the level; read off simulated healthy fleets, where evidence has heavier tails than it claims.
"""
GROWTH = 2.0
"""Power of the share of restless servers with which the chance grows, where nothing is known yet."""
PRIOR_DAYS = 1.0
"""Days after which what a fleet has shown at a share counts as much."""
YOUNG_STEPS = 24.0
"""After so many steps of what was learned the chances are still taken for twice as large: in its first hours all of a
fleet rises from nothing at once.
"""
PRIOR_TOGETHER = (1.0, 0.3)
"""By how much likelier a server that rises makes a peer, and anybody else, in a fleet of which nothing is known."""
PRIOR_PAIRS = 10.0
"""Pairs that must have been expected until what a fleet has shown counts as much; a pair is seen at each of several
steps.
"""
LESSON_SPREADS = 3.0
"""A count teaches no more than so many standard deviations and one server above the mean: a cascade that nobody saw
must not make the next one ordinary.
"""


@dataclass(frozen=True, slots=True)
class Usual:
    """What a healthy fleet as restless as this one shows in the window that ends now.

    ``group``: (server,) number of its group of peers. ``chance``: (group, level) that one of them rises to each level;
    ``mean``: (group, level) how many of them do. ``together``: (relation, level) by how much likelier each that does
    makes another one: a peer, and anybody else. ``weight``: (group, knot) between which shares it is restless.
    """

    group: Steps
    chance: Floats
    mean: Floats
    together: Floats
    weight: Floats


@dataclass(frozen=True, slots=True)
class Lesson:
    """A step, to be learned when its window is over. ``servers``: (knot,) that were there. ``risen``: (knot, level) of
    them. ``square``, ``beyond``: (relation, level) of `Counts`.
    """

    servers: Floats
    risen: Floats
    square: Floats
    beyond: Floats


@dataclass(slots=True)
class Counts:
    """What was learned, older steps faded. ``servers``: (knot,) seen; ``risen``: (knot, level) of them that had risen
    within the window. ``square``, ``beyond``: (relation, level) pairs of servers that were expected to have risen, and
    by how many there were more; among peers, and among others.
    """

    servers: Floats = field(default_factory=lambda: np.zeros(KNOTS))
    risen: Floats = field(default_factory=lambda: np.zeros((KNOTS, len(LEVELS))))
    square: Floats = field(default_factory=lambda: np.zeros((2, len(LEVELS))))
    beyond: Floats = field(default_factory=lambda: np.zeros((2, len(LEVELS))))

    def usual(self, restless: Flags, group: Steps, least: float, steps_per_day: float) -> Usual:
        """What to expect of a healthy fleet now.

        Args:
            restless: (server,) whether it is, outside of what is asked about.
            group: (server,) number of its group of peers.
            least: chance that a server rises within a window, however calm the fleet has been.
            steps_per_day: of the fleet.
        """
        size = np.bincount(group).astype(np.float64)
        share = np.bincount(group, weights=restless) + FLEET_WORTH * restless.mean()
        weight = _between(share / (size + FLEET_WORTH))
        prior = PRIOR_DAYS * steps_per_day * len(group)
        young = 1 + YOUNG_STEPS / (1 + self.servers.sum() / len(group))
        chance = np.clip(weight @ self._chances(prior) * young, least, 1.0)
        return Usual(group, chance, size[:, None] * chance, self._together(), weight)

    def learn(self, lesson: Lesson, fade: float) -> None:
        """Take in a step. ``fade``: share of what was learned that is forgotten."""
        for name in ("servers", "risen", "square", "beyond"):
            setattr(self, name, (1 - fade) * getattr(self, name) + getattr(lesson, name))

    def _together(self) -> Floats:
        """(relation, level) ≥ 0; where few pairs are expected, as at the level below."""
        found = np.empty((2, len(LEVELS)))
        before = np.array(PRIOR_TOGETHER)
        for level in range(len(LEVELS)):
            pairs = self.square[:, level] + PRIOR_PAIRS
            before = found[:, level] = np.maximum((self.beyond[:, level] + PRIOR_PAIRS * before) / pairs, 0)
        return found

    def _chances(self, prior: float) -> Floats:
        """(knot, level) chances; where little was seen, as at other shares. ``prior``: server-steps that it takes."""
        growth = (np.maximum(SHARES, LEAST_SHARE) / USUAL_SHARE) ** GROWTH
        anywhere = PRIOR_CHANCE * (LEVELS / LEVELS[0]) ** -PRIOR_POWER
        alike = (self.risen.sum(axis=0) + prior * anywhere) / (self.servers @ growth + prior)
        return np.asarray((self.risen + prior * growth[:, None] * alike) / (self.servers[:, None] + prior))


def reached(levels: Steps) -> Floats:
    """(level,) how many of the servers have risen to it.

    >>> reached(np.array([0, 2]))[:4].tolist()
    [2.0, 1.0, 1.0, 0.0]
    """
    return np.asarray(np.bincount(levels, minlength=len(LEVELS))[::-1].cumsum()[::-1], np.float64)


def lesson(usual: Usual, levels: Steps, groups: Steps) -> Lesson:
    """Of a step in which servers have risen to these ``levels``, each of a group of peers."""
    size = np.bincount(usual.group, minlength=len(usual.chance)).astype(np.float64)
    mean, whole = usual.mean, usual.mean.sum(axis=0)
    risen = np.zeros(usual.chance.shape)
    np.add.at(risen, groups, np.arange(len(LEVELS)) <= levels[:, None])
    heeded = np.minimum(risen.sum(axis=0), whole + LESSON_SPREADS * np.sqrt(whole) + 1)
    risen *= heeded / np.maximum(risen.sum(axis=0), 1)
    square, beyond = (mean**2).sum(axis=0), ((risen - mean) ** 2 - mean).sum(axis=0)
    more = (heeded - whole) ** 2 - whole
    return Lesson(
        size @ usual.weight,
        usual.weight.T @ risen,
        np.stack([square, whole**2 - square]),
        np.stack([beyond, more - beyond]),
    )


def _between(share: Floats) -> Floats:
    """(group, knot) how much of each knot there is in a share.

    >>> _between(np.array([0.0, 0.02]))[:, :4].round(2).tolist()
    [[1.0, 0.0, 0.0, 0.0], [0.0, 0.42, 0.58, 0.0]]
    """
    place = np.log2(1 + 100 * share)[:, None]
    return np.asarray(np.clip(1 - np.abs(np.arange(KNOTS) - place), 0, 1))
