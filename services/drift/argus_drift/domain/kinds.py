"""Which kind of change it is, and since when."""

import numpy as np

from argus_drift.domain.ranks import Floats
from argus_drift.domain.rules import Kind

NOTABLE = 0.5
"""Share of its threshold at which a test of a single metric explains what a test of a pair has found."""
GRADUAL = 0.5
"""A change whose first third has less than this share of its last third's size has come little by little."""


def kind_of(ratios: dict[str, float], course: Floats) -> Kind:
    """The simplest change that explains the evidence: level before variance before relation; seasonality where the
    hours of the day fit worst of all.

    Args:
        ratios: family → its largest excess, in thresholds.
        course: (hour,) deviations from the reference since the change began, positive in its direction.
    """
    if ratios["profile"] >= max(ratios.values()):
        return "seasonality"
    level = max(ratios["level"], ratios["spread"])
    if level >= NOTABLE and level >= ratios["movement"]:
        return "trend" if is_gradual(course) else "level"
    return "variance" if ratios["movement"] >= NOTABLE else "relation"


def is_gradual(course: Floats) -> bool:
    """Whether a change has grown from its first to its last third.

    >>> is_gradual(np.float32([0, 1, 2, 3, 4, 5])), is_gradual(np.float32([5, 4, 5, 5, 4, 5]))
    (True, False)
    """
    third = len(course) // 3
    if third == 0:
        return False
    return float(np.nanmean(course[:third])) < GRADUAL * float(np.nanmean(course[-third:]))


def began(deviations: Floats) -> int:
    """Index of the hour with which a lasting change began: where the sum of all that exceeds half of it is largest.

    The maximum-likelihood change point of a shift of known size (E. S. Page, "Continuous Inspection Schemes", 1954).

    Args:
        deviations: (hour,) from the middle of the reference, positive in the direction of the change, NaN = missing.

    >>> began(np.float32([0, 0.1, 0, 1, 1.1, 1]))
    3
    """
    known = np.where(np.isfinite(deviations), deviations, 0)
    size = float(np.quantile(known, 0.9))
    rest = np.cumsum((known - size / 2)[::-1])[::-1]
    return int(np.argmax(rest))
