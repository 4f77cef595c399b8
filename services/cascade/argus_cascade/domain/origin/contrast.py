"""How far each value departs from what came before, in sigmas that heavy tails and short histories do not fool."""

import numpy as np

from argus_cascade.domain.origin.quantiles import median, quantiles
from argus_cascade.domain.tick import Floats

QUARTILES = 1.349
"""Sigmas between the quartiles of a normal distribution; 1.645 from its median to the 5 and 95 % quantiles."""
TAIL = 1.645
PRIOR_STEPS = 8
"""A scale counts as much as this many steps of a typical scale of the fleet: a short history is no certainty."""
LEAST_SHARE = 0.05
"""Of the level: what moves by less is no departure, however calm it was."""
LEAST_RELATIVE = 0.1
"""Of the level: the typical scale where the fleet is calmer."""
RESTLESS = 0.9
"""Quantile of the fleet's scales of a metric."""
LEAST_OF_RESTLESS = 0.3
"""Part of that quantile by which a series that never moved is measured."""


def moved(values: Floats, begin: int) -> Floats:
    """(step, server, metric) value minus the median of the steps before ``begin``; the first level where none came."""
    return values - median(values[:begin])


def surprises(values: Floats, begin: int) -> Floats:
    """(step, server, metric) departures in robust sigmas of the steps before ``begin``; NaN = missing.

    The scale is the larger of quartile range and tails (median and quartiles as in Pham et al., "BARO: Robust Root
    Cause Analysis for Microservices via Multivariate Bayesian Online Change Point Detection", 2024), drawn to that of
    the fleet where the history is short, and never below small parts of the level and of the fleet's restless series:
    counts near zero and series that never moved say nothing of their spread. Unit-free: a metric times a constant
    changes nothing.
    """
    before = values[:begin]
    centre = median(values[:begin])
    level = np.abs(centre)
    own = _spread(before)
    steps = np.isfinite(before).sum(axis=0)
    typical = np.maximum(median(_ratio(own, level)), LEAST_RELATIVE) * level
    drawn = np.sqrt((steps * own**2 + PRIOR_STEPS * typical**2) / (steps + PRIOR_STEPS) + (LEAST_SHARE * level) ** 2)
    restless = quantiles(np.where(drawn > 0, drawn, np.nan), RESTLESS)[0]
    scale = np.maximum(drawn, LEAST_OF_RESTLESS * restless)
    return _ratio(values - centre, scale)


def _spread(before: Floats) -> Floats:
    low, first, middle, third, high = quantiles(before, 0.05, 0.25, 0.5, 0.75, 0.95)
    tails = np.maximum(high - middle, middle - low) / TAIL
    result: Floats = np.maximum((third - first) / QUARTILES, tails)
    return result


def _ratio(value: Floats, scale: Floats) -> Floats:
    return np.divide(value, scale, out=np.where(np.isnan(value), np.nan, 0.0), where=scale > 0)
