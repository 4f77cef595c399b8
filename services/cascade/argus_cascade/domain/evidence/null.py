"""How much evidence there usually is against healthy servers of this fleet."""

import numpy as np
import numpy.typing as npt

from argus_cascade.domain import tails
from argus_cascade.domain.tick import Floats

SMALLEST, PRIOR = 3.0, 30.0
"""Nats: least that is ever taken for usual, and what is taken for it while nothing is known."""
PRIOR_STEPS = 1000
"""Steps after which a server's own extremes count as much as the fleet's."""
FEWEST_SERVERS = 30
"""A fleet of fewer has no common movement to speak of."""
COMMON_SIGMAS = 2.0
COMMON_RATE = 0.01
LONGEST_BETWEEN = 20


def blended(own: Floats, heard: npt.NDArray[np.int64]) -> Floats:
    """(server, channel) between what is usual for the fleet and, the longer it is known, for the server itself.

    Args:
        own: (server, channel) of the server alone, inf = unknown.
        heard: (server,) steps that it was heard of.
    """
    known = np.isfinite(own)
    logs = np.log(np.clip(np.where(known, own, SMALLEST), SMALLEST, None))
    count = known.sum(axis=0)
    fleet = np.where(count > 0, np.where(known, logs, 0).sum(axis=0) / np.maximum(count, 1), np.log(PRIOR))
    share = (heard / (heard + PRIOR_STEPS))[:, None]
    mean: Floats = np.exp(np.where(known, share * logs + (1 - share) * fleet, fleet))
    return mean


def log10_rarity(amounts: Floats, usual: Floats) -> Floats:
    """−log10 of the chance of such amounts: an exponential tail through `tails.RARE` at the usual."""
    rarity: Floats = -np.log10(tails.RARE) * amounts / usual
    return rarity


def without_common(z: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """(server, target) z without the movement of the whole fleet, as far as that is usual; its variance learned on.

    A model that is off for all servers, or a rhythm that they share, is no evidence against one of them; a movement of
    unusual size is, and stays.

    Args:
        z: (server, target), NaN = none.
        variance: (target,) of the fleet's median so far.
    """
    if len(z) < FEWEST_SERVERS:
        return z, variance
    known = ~np.isnan(z).all(axis=0)
    median = np.zeros(z.shape[1])
    median[known] = np.nanmedian(z[:, known], axis=0)
    bound = COMMON_SIGMAS * np.sqrt(variance)
    square = np.minimum(median**2, np.maximum(bound**2, 1))
    learned = np.where(known, variance + COMMON_RATE * (square - variance), variance)
    return z - np.clip(median, -bound, bound), learned


def steps_between(steps: int) -> int:
    """Steps until what is usual is worked out again: each in the beginning, every twentieth later."""
    return min(max(steps // 8, 1), LONGEST_BETWEEN)
