"""Which kind of change it is, and since when."""

import numpy as np
import numpy.typing as npt

from argus_drift.domain.ranks import Floats
from argus_drift.domain.rules import Kind

NOTABLE = 0.5
"""Share of its threshold at which a test of a single metric explains what a test of a pair has found."""
LEAST_COURSE = 8
"""Hours without which a step and a rise can't be told apart."""

CLEARLY = 0.8
"""What a rise leaves unexplained, in squares, of what a step does."""


def kind_of(ratios: dict[str, float], course: Floats) -> Kind:
    """The simplest change that explains the evidence: level, then variance, then seasonality where the hours of the
    day fit worst, then relation.

    Args:
        ratios: family → its largest excess, in thresholds.
        course: (hour,) how the level that has moved furthest went.
    """
    level, rhythm = max(ratios["level"], ratios["spread"]), max(ratios["rhythm"], ratios["swing"])
    if level >= NOTABLE and level >= ratios["movement"]:
        return "trend" if is_gradual(course) else "level"
    if ratios["movement"] >= NOTABLE:
        return "variance"
    return "seasonality" if rhythm >= max(ratios["gap"], ratios["distance"], ratios["pace"]) else "relation"


def is_gradual(course: Floats) -> bool:
    """Whether a rise from some hour on leaves clearly less of a course unexplained than a step at some hour does.

    >>> is_gradual(np.float32([0, 0, 1, 2, 3, 4, 5, 6])), is_gradual(np.float32([0, 0, 0, 5, 4, 5, 5, 4]))
    (True, False)
    """
    seen = np.isfinite(course)
    values, time = course[seen].astype(np.float64), np.flatnonzero(seen)
    if len(values) < LEAST_COURSE:
        return False
    begins = time[:-1]
    step = (time > begins[:, None]).astype(np.float64)
    rise = np.maximum(time - begins[:, None], 0).astype(np.float64)
    return 1 - _explained(values, rise) < CLEARLY * (1 - _explained(values, step))


def _explained(values: npt.NDArray[np.float64], shapes: npt.NDArray[np.float64]) -> float:
    """Largest share of the squares that a multiple of one of the shapes, (shape, hour), explains."""
    centred = values - values.mean()
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    squares = float(centred @ centred)
    return float(((shapes @ centred) ** 2 / (shapes**2).sum(axis=1)).max()) / squares if squares else 0.0


def began(course: Floats) -> int:
    """Index of the hour with which a lasting change began: where the sum of all that exceeds half of it is largest.

    The maximum-likelihood change point of a shift of known size (E. S. Page, "Continuous Inspection Schemes", 1954);
    for the size, what nine tenths of the last hours do not exceed.

    Args:
        course: (hour,) deviations from what is usual, NaN = missing.

    >>> began(np.float32([0, 0.1, 0, 1, 1.1, 1])), began(np.float32([0, 0.1, 0, -1, -1.1, -1]))
    (3, 3)
    """
    known = np.where(np.isfinite(course), course, 0).astype(np.float64)
    upward = known if known[len(known) // 2 :].sum() >= 0 else -known
    return int(np.argmax(np.cumsum((upward - np.quantile(upward, 0.9) / 2)[::-1])[::-1]))
