"""From where values fell in their forecasts to how surprising they were."""

import numpy as np
from scipy.special import ndtr, ndtri

from argus_cascade.domain.tick import FleetTick, Floats
from argus_common.metrics import Catalogue

LEAST_CHANCE = 1e-16
"""A value is never called rarer: 8.2 sigmas."""
SMALLEST_POINTS = 1.0
"""Percentage points by which a value must miss its forecast to count in full."""


def surprises(tick: FleetTick, smallest: Floats) -> Floats:
    """(server, target) z of this step over all leads, positive = higher than forecast, NaN = nothing was scored.

    A short lead is surprised by what is sudden, a long one by what is slow. The leads depend on each other in an
    unknown way, so their chances are combined by Cauchy's rule, which does not ask for it.

    Args:
        tick: the step.
        smallest: (target,) change in the target's unit that matters; what misses the forecast by less counts less.

    References:
        Y. Liu, J. Xie, "Cauchy combination test: a powerful test with analytic p-value calculation under arbitrary
        dependency structures", 2020; here with the sign of the deviation.
    """
    known = ~np.isnan(tick.pit)
    side = np.where(tick.pit >= 0.5, 1.0, -1.0)
    chance = np.clip(np.where(side > 0, 1 - tick.pit, tick.pit), LEAST_CHANCE, 0.5)
    with np.errstate(invalid="ignore", divide="ignore"):
        matters = np.minimum(np.abs(tick.residual) / smallest[:, None], 1)
    chance = ndtr(ndtri(chance) * np.where(np.isnan(matters), 1, matters))
    pull = side / np.tan(np.pi * chance)
    count = known.sum(axis=2)
    mean = np.where(known, pull, 0).sum(axis=2) / np.maximum(count, 1)
    beyond = np.maximum(np.arctan2(1, np.abs(mean)) / np.pi, LEAST_CHANCE)
    return np.where(count > 0, -np.sign(mean) * ndtri(beyond), np.nan)


def smallest_changes(targets: tuple[str, ...], catalogue: Catalogue) -> Floats:
    """(target,) `SMALLEST_POINTS` of those in per cent; of the others any change matters."""
    return np.array([SMALLEST_POINTS if catalogue.get(name).unit == "%" else 0.0 for name in targets])
