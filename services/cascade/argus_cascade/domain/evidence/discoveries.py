"""How many of a fleet's p-values may be called discoveries."""

import numpy as np

from argus_cascade.domain.tick import Floats


def threshold(p: Floats, level: float, share: float) -> float:
    """The largest p that counts as a discovery.

    A single server is held to ``level``; the more servers stand out together, the less each of them needs, as long as
    the expected share of healthy ones among them stays below ``share``.

    Args:
        p: (server,) chance of so much evidence in a healthy server.
        level: chance that a healthy server is called abnormal in a step.
        share: false discovery rate.

    References:
        Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", 1995; at the rate min(share, servers × level)
        the smallest p-value is held to at most ``level`` whatever the size of the fleet.

    >>> threshold(np.array([0.001, 0.5, 0.9, 0.7]), level=0.002, share=0.05)
    0.002
    >>> threshold(np.array([0.003, 0.004, 0.9, 0.7]), level=0.002, share=0.05)
    0.004
    """
    if not len(p):
        return level
    allowed = min(share / len(p), level) * np.arange(1, len(p) + 1)
    passed = np.flatnonzero(np.sort(p) <= allowed)
    return float(allowed[passed[-1]]) if len(passed) else float(allowed[0])
