"""How unlikely it is that so many servers of a healthy fleet stand out within one window."""

import numpy as np
from scipy.special import gammainc, gammaincc, gammaln

from argus_cascade.domain.tick import Floats, Steps

POISSON = 1e-6
"""A dispersion so near to 1 is that of independent servers."""
LOG10_E = float(np.log10(np.e))


def anywhere(levels: Steps, groups: Steps, mean: Floats, together: Floats, fewest: int) -> tuple[float, int]:
    """(rarity, members) of the least likely set of servers, whoever they are.

    For each level, those that have reached it are taken together: how many sets of so many servers would a healthy
    fleet show that stand out so far in all?

    Args:
        levels: (server,) the level that each of the servers in question has reached in the window, in any order.
        groups: (server,) number of its group of peers.
        mean: (level,) how many servers of a healthy fleet reach each level in a window.
        together: (relation, level) by how much likelier each that does makes another one: a peer, and anybody else.
        fewest: least members.

    Returns:
        −log10 of that expectation, at the level where it is the least; 0 where there are too few.

    References:
        R. Fisher, "Statistical Methods for Research Workers", 1932: the product of chances; R. Berk, D. Jones,
        "Goodness-of-fit test statistics that dominate the Kolmogorov statistics", 1979: the smallest chance over all
        thresholds.

    >>> alone, mean = np.zeros((2, 2)), np.array([3.0, 0.01])
    >>> rarity, members = anywhere(np.array([1, 1, 1, 0]), np.array([0, 0, 1, 1]), mean, alone, fewest=2)
    >>> members, round(rarity, 1)
    (3, 6.8)
    """
    order = np.argsort(-levels, kind="stable")
    highest, groups = levels[order], groups[order]
    last = np.flatnonzero(np.append(highest[1:] != highest[:-1], True))[: len(highest)]
    count = (last + 1)[last + 1 >= fewest]
    if not len(count):
        return 0.0, 0
    base, log_mean = highest[count - 1], np.log(mean)
    beyond = count * log_mean[base] - np.cumsum(log_mean[highest])[count - 1]
    sets = count * log_mean[base] - gammaln(count + 1) + _log_together(groups, count, together[:, base])
    return _best(LOG10_E * (sets + _log_gamma_tail(count, beyond)), count)


def _log_together(groups: Steps, count: Steps, together: Floats) -> Floats:
    """Logarithm of how much likelier the first ``count`` servers are than independent ones: each raises the others'
    chances, as it does where rates differ from time to time by a gamma distribution.
    """
    before, peers = np.arange(len(groups)), _peers_before(groups)
    each = np.log1p(together[0][:, None] * peers + together[1][:, None] * (before - peers))
    return np.asarray(np.where(before < count[:, None], each, 0).sum(axis=1))


def _peers_before(groups: Steps) -> Steps:
    """(server,) how many servers of its group come before it.

    >>> _peers_before(np.array([7, 2, 7, 7])).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(groups, kind="stable")
    first = np.searchsorted(groups[order], groups[order])
    found = np.empty(len(groups), np.int64)
    found[order] = np.arange(len(groups)) - first
    return found


def _log_gamma_tail(count: Steps, beyond: Floats) -> Floats:
    """Ln of the chance that ``count`` exponential variables sum up to more than ``beyond``."""
    tail = gammaincc(count, beyond)
    first = (count - 1) * np.log(np.maximum(beyond, 1.0)) - gammaln(count) - beyond
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(tail > 1e-280, np.log(tail), first))


def linked(levels: Steps, chance: Floats, servers: int, degree: float, fewest: int) -> tuple[float, int]:
    """(rarity, members) of servers that hang together by dependencies.

    Args:
        levels: (server,) the level that each of them has reached in the window, in any order.
        chance: (level,) that a healthy server reaches each level in a window.
        servers: of which a dependency is known.
        degree: dependencies that such a server has on average, in both directions.
        fewest: least members.

    Returns:
        −log10 of how many such groups are expected; a graph of so many servers has about servers · degree^(k−1) ·
        k^(k−2) / k! trees of k of them.

    >>> rarity, members = linked(np.array([1, 1]), np.array([0.01, 0.0001]), servers=100, degree=2.0, fewest=2)
    >>> members, round(rarity, 1)
    (2, 6.0)
    """
    highest = np.sort(levels)[::-1]
    count = np.arange(1, len(highest) + 1)[fewest - 1 :]
    if not len(count):
        return 0.0, 0
    trees = np.log(servers) + (count - 1) * np.log(degree) + (count - 2) * np.log(count) - gammaln(count + 1)
    return _best(LOG10_E * (trees + count * np.log(chance[highest[fewest - 1 :]])), count)


def of_count(count: int, expected: float) -> float:
    """The chance that a Poisson count is at least so high."""
    return float(gammainc(count, expected)) if count else 1.0


def _best(log10_chance: Floats, count: Steps) -> tuple[float, int]:
    best = int(np.argmin(log10_chance))
    return max(float(-log10_chance[best]), 0.0), int(count[best])
