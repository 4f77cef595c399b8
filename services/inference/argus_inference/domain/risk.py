"""One number per server: how likely something hurts soon, 0 … 100.

Each limit contributes its breach probability, weighted by how soon it is and by the limit's severity; contributions
are combined as independent risks, so that the score rises with every one of them and never passes 100. A limit that
is crossed already counts as certain. A calm server scores near 0, and the score means the same on every server.
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
    """
    soon = np.nan_to_num(probability * np.array(URGENCY)).max(axis=2)
    contribution = np.where(crossed, 1.0, np.clip(soon, 0, 1)) * severity
    risk: Doubles = 100 * (1 - np.prod(1 - contribution, axis=1))
    return risk
