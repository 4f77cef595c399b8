"""One number per server: how likely something hurts soon, 0 … 100.

For a server with limits ``l`` of severity ``s(l)`` (metric catalogue, 0 … 1) and the probability ``p(l, h)`` that the
limit is crossed within ``h``:

    c(l) = s(l) × max over h of u(h) × p(l, h)        u = 1, 0.95, 0.8, 0.65 for h = 15 min, 1 h, 4 h, 8 h
    risk = 100 × (1 − Π over l of (1 − c(l)))

A limit that is crossed already counts as certain: ``c(l) = s(l)``. So a breach that is certain within the hour is
critical (95 for severity 1), one that is certain only within eight hours a warning (65); several doubtful limits add up
like independent risks, never beyond 100; and a calm server scores near 0, whatever its size or the number of its
limits. The score rises with every probability and means the same on every server.
"""

import numpy as np
import numpy.typing as npt

from argus_forecasting.forecaster import Floats

URGENCY = (1.0, 0.95, 0.8, 0.65)
"""Weight of a breach within 15 minutes, 1, 4 and 8 hours."""

Doubles = npt.NDArray[np.float64]


def risk_scores(probability: Floats, crossed: npt.NDArray[np.bool_], severity: Floats) -> Doubles:
    """(server,) risk.

    Args:
        probability: (server, target, within) breach probabilities, NaN = no limit.
        crossed: (server, target) whether the value is beyond its limit now.
        severity: (target,) weight of each limit, 0 … 1.

    >>> risk_scores(np.array([[[0.0, 0.0, 0.5, 1.0]]]), np.array([[False]]), np.ones(1)).tolist()
    [65.0]
    """
    risk: Doubles = 100 * (1 - np.prod(1 - contributions(probability, crossed, severity), axis=1))
    return np.clip(risk, 0, 100)


def contributions(probability: Floats, crossed: npt.NDArray[np.bool_], severity: Floats) -> Doubles:
    """(server, target) what each limit adds to the risk, 0 … 1: ``c(l)`` above. Arguments as of `risk_scores`."""
    soon = np.nan_to_num(probability.astype(np.float64) * np.array(URGENCY)).max(axis=2)
    share: Doubles = np.where(crossed, 1.0, np.clip(soon, 0, 1)) * severity.astype(np.float64)
    return share
