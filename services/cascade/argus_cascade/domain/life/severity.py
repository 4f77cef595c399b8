"""How bad a cascade is, on the one scale."""

from collections.abc import Sequence

import numpy as np

from argus_common.levels import FLOORS, Level

LEAST = FLOORS[Level.DEGRADED]
"""A cascade that is not over is never healthy."""
SHARES, SHARE_SCORES = (0.0, 0.1, 0.25, 0.5), (50.0, 60.0, 80.0, 100.0)
"""Share of the fleet that is unwell, and the score that this is."""
PER_DOUBLING = 10.0


def score(unwell: int, fleet: int, risks: Sequence[float]) -> float:
    """0 … 100: the worst of how many members are unwell, what share of the fleet that is, and their forecast risk.

    Two members are degraded, four a warning, sixteen critical; a quarter of the fleet is critical whatever its size.

    >>> score(2, 300, []), score(4, 300, []), score(16, 300, []), score(5, 20, [30.0])
    (50.0, 60.0, 80.0, 80.0)
    """
    by_count = LEAST + PER_DOUBLING * np.log2(max(unwell, 1) / 2)
    by_share = float(np.interp(unwell / max(fleet, 1), SHARES, SHARE_SCORES)) if unwell >= MANY else 0.0
    return float(np.clip(max(by_count, by_share, *risks, 0.0), LEAST, 100.0))


MANY = 3
"""Fewer are no share of a fleet: two of a fleet of four are two servers."""
