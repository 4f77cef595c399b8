"""Surprises gathered over time, per server and target."""

import numpy as np
from scipy.special import log_ndtr

from argus_cascade.domain.evidence.settings import EvidenceSettings
from argus_cascade.domain.tick import Flags, Floats

ORDINARY_NATS = 3.0
"""−ln of a chance that says nothing: one step in twenty is as surprising."""
ORDINARY_SIGMAS = 1.64
"""Below, a chance is larger than that in any case."""
MOST_NATS = 55.0
"""One target alone says no more than this: a value ten times as far off as its usual extremes."""
LESSON_BOUND = 3.0


def excess(z: Floats, both: Flags) -> Floats:
    """(server, target) nats of evidence beyond the ordinary, NaN = no z.

    Args:
        z: positive = harmful.
        both: (target,) whether the other direction harms as well.
    """
    harmful = np.where(both, np.abs(z), z)
    nats = np.where(np.isnan(z), np.nan, 0.0)
    beyond = harmful > ORDINARY_SIGMAS  # few: the logarithm of a chance is what costs here
    sides = np.broadcast_to(np.where(both, np.log(2), 0), z.shape)[beyond]
    nats[beyond] = np.clip(-log_ndtr(-harmful[beyond]) - sides - ORDINARY_NATS, 0, MOST_NATS)
    return nats


def gathered(average: Floats, values: Floats, steps: int) -> Floats:
    """(server, target) exponentially weighted average of ``steps``, where there is a value."""
    moved = average + (values - average) * (2 / (steps + 1))
    return np.where(np.isnan(values), average, moved)


def settled(slow: Floats, spread: Floats, known: Flags, settings: EvidenceSettings) -> tuple[Floats, Floats]:
    """(server, target) ``slow`` in its own sigmas, and their variance learned on.

    ``spread`` is the variance in units of what it would be if surprises were independent: autocorrelation raises it.
    """
    rate = 2 / (settings.slow_steps + 1)
    standard = slow / np.sqrt(rate / (2 - rate))
    sigmas = standard / np.sqrt(spread)
    square = np.minimum(standard**2, LESSON_BOUND**2 * spread)
    step = 1 / min(settings.null_steps, 1000)
    return sigmas, np.where(known, np.maximum(spread + step * (square - spread), 1), spread)
