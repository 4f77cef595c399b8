"""How large something usually is at most, from a histogram of its past sizes; any number of things at once."""

import numpy as np

from argus_cascade.domain.tick import Flags, Floats

BOUNDS = 2.0 ** np.arange(-4, 11, 0.25)
"""Upper ends of the bins; a bin is 19 % wide."""
BINS = len(BOUNDS) + 1
RARE = 0.003
"""Sizes are told against the one that is exceeded once in 333 times."""
FEWEST_BEYOND = 3
"""Sizes beyond a level that are needed to believe in it."""
INCIDENT_STEPS = 5
"""Steps of one run of large sizes that count in full; of what lasts longer the rest counts less and less."""
RUN_KEPT = 0.8
"""Share of a run that a step of usual size leaves, so that an interrupted incident stays one."""


def longer(run: Floats, large: Flags) -> Floats:
    """(…) the run of large sizes after one more step."""
    return np.where(large, run + 1, run * RUN_KEPT)


def lesson(run: Floats) -> Floats:
    """(…) how much a step that lengthened a run to this counts, 0 … 1.

    A run is one incident however long it lasts, so it cannot make itself usual; a spike that returns does.

    References:
        S. Coles, "An Introduction to Statistical Modeling of Extreme Values", 2001, §5.3.2: runs declustering, here by
        weights.
    """
    weight: Floats = np.minimum(1, (INCIDENT_STEPS / np.maximum(run, 1)) ** 2)
    return weight


def count(histogram: Floats, sizes: Floats, weights: Floats) -> None:
    """Add ``sizes`` (thing,), NaN = none, with ``weights`` (thing,) to ``histogram`` (thing, bin)."""
    known = ~np.isnan(sizes)
    histogram[np.arange(len(sizes)), np.searchsorted(BOUNDS, sizes).clip(max=len(BOUNDS))] += np.where(
        known, weights, 0
    )


def usual(histogram: Floats) -> Floats:
    """(thing,) size that is exceeded once in 1 / `RARE` times; inf = too little is known.

    With few sizes, it is extrapolated from a lower level by an exponential tail.

    >>> few = np.zeros((1, BINS))
    >>> count(few, np.array([1.0]), np.array([2.0]))
    >>> usual(few)
    array([inf])
    """
    beyond = histogram[:, ::-1].cumsum(axis=1)[:, ::-1]
    total = beyond[:, 0]
    level = np.clip(FEWEST_BEYOND / np.maximum(total, 1), RARE, 0.5)
    chance = beyond / np.maximum(total, 1e-12)[:, None]
    at = np.clip((chance[:, 1:] > level[:, None]).sum(axis=1), 1, len(BOUNDS) - 1)[:, None]
    high, low = (np.take_along_axis(chance, at + side, axis=1)[:, 0] for side in (0, 1))
    share = np.clip((high - level) / np.maximum(high - low, 1e-12), 0, 1)
    size = BOUNDS[at[:, 0] - 1] * 2.0 ** (0.25 * share)
    return np.where(total > FEWEST_BEYOND, size * np.log(RARE) / np.log(level), np.inf)
