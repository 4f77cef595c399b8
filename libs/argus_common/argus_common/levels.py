"""The one alert scale of Argus, used on topics, in metrics, dashboards and terminals."""

import math
from enum import StrEnum


class Level(StrEnum):
    """Alert level of a risk score between 0 and 100."""

    CRITICAL = "critical"
    WARNING = "warning"
    DEGRADED = "degraded"
    HEALTHY = "healthy"


FLOORS: dict[Level, float] = {
    Level.CRITICAL: 80.0,
    Level.WARNING: 60.0,
    Level.DEGRADED: 50.0,
    Level.HEALTHY: 0.0,
}
"""Lowest score of each level, worst level first."""

COLOURS: dict[Level, str] = {
    Level.CRITICAL: "#d13438",
    Level.WARNING: "#f2a900",
    Level.DEGRADED: "#c8b400",
    Level.HEALTHY: "#2e9e5b",
}


def level_of(score: float) -> Level:
    """The level of a risk score, 0 … 100. No score (NaN) has no level: it must not look healthy.

    >>> level_of(80.0), level_of(79.9), level_of(0)
    (<Level.CRITICAL: 'critical'>, <Level.WARNING: 'warning'>, <Level.HEALTHY: 'healthy'>)
    """
    if math.isnan(score):
        raise ValueError("a risk score is a number from 0 to 100, not NaN")
    return next((level for level, floor in FLOORS.items() if score >= floor), Level.HEALTHY)
