"""How large a server's evidence usually is, and how rare what there is now would be."""

import numpy as np

from argus_cascade.domain.tick import Flags, Floats

BULK = 0.9
"""Level above which the tail begins."""
LONGEST_EXCESS = 5.0
"""An excess teaches the tail no more than so many of its means."""


def log10_rarity(amount: Floats, begin: Floats, mean: Floats) -> Floats:
    """−log10 of the chance of so much evidence: an exponential tail above ``begin``.

    References:
        A. Siffer et al., "Anomaly detection in streams with extreme value theory", 2017, with the shape fixed at 0,
        since the amounts are logarithms of chances already.
    """
    rarity: Floats = (-np.log(1 - BULK) + (amount - begin) / mean) / np.log(10)
    return np.maximum(rarity, 0)


def learn(amount: Floats, begin: Floats, mean: Floats, rate: Floats, seen: Flags) -> tuple[Floats, Floats]:
    """``begin`` and ``mean`` of the tail after ``amount``; where nothing was ``seen``, as they were."""
    rate = np.where(seen, rate, 0)
    above = amount > begin
    excess = np.minimum(amount - begin, LONGEST_EXCESS * mean)
    moved = begin + rate * mean * (above - (1 - BULK)) / (1 - BULK)
    return moved, np.where(above, mean + rate * (excess - mean), mean)
