"""How unlikely it is that so many servers of a healthy fleet stand out within one window."""

import numpy as np
from scipy.special import betainc, gammainc, gammaln

from argus_cascade.domain.tick import Floats, Steps

POISSON = 1 + 1e-6
"""A dispersion so near to 1 is that of independent servers."""
LOG10_E = float(np.log10(np.e))


def anywhere(levels: Steps, mean: Floats, dispersion: Floats, fewest: int) -> tuple[float, int]:
    """(rarity, members) of the least likely count, whoever the servers are.

    Args:
        levels: (server,) the level that each of the servers in question has reached in the window, in any order.
        mean: (level,) how many servers of a healthy fleet reach each level in a window.
        dispersion: (level,) variance of that count over its mean, ≥ 1.
        fewest: least members.

    Returns:
        −log10 of the chance that a negative binomial count is as high at that level; 0 where there are too few.

    References:
        R. Berk, D. Jones, "Goodness-of-fit test statistics that dominate the Kolmogorov statistics", 1979: the
        smallest chance over all thresholds; J. Naus, "Approximations for distributions of scan statistics", 1982.

    >>> rarity, members = anywhere(np.array([1, 1, 1, 0]), np.array([3.0, 0.01]), np.ones(2), fewest=2)
    >>> members, round(rarity, 1)
    (3, 6.8)
    """
    highest = np.sort(levels)[::-1]
    count = np.arange(1, len(highest) + 1)[fewest - 1 :]
    if not len(count):
        return 0.0, 0
    at = highest[fewest - 1 :]
    return _best(_log10_at_least(count, mean[at], np.maximum(dispersion[at], POISSON)), count)


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


def _log10_at_least(count: Steps, mean: Floats, dispersion: Floats) -> Floats:
    """log10 of the chance of a negative binomial count so high; by its first term where that is no float any more."""
    size, share = mean / (dispersion - 1), 1 - 1 / dispersion
    chance = betainc(count, size, share)
    first = (
        gammaln(size + count) - gammaln(size) - gammaln(count + 1) + count * np.log(share) - size * np.log(dispersion)
    )
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(chance > 1e-280, np.log10(chance), LOG10_E * first))
