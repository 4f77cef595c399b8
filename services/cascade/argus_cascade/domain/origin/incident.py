"""What a raw trace shows of an incident."""

from collections.abc import Sequence

import numpy as np

from argus_cascade.domain.origin.contrast import moved, surprises
from argus_cascade.domain.origin.departures import Departures, harmful
from argus_cascade.domain.origin.meaning import amounts_of, harm_of
from argus_cascade.domain.origin.season import without_season
from argus_cascade.domain.tick import Floats
from argus_common.metrics import Catalogue


def incident_departures(
    servers: Sequence[str], metrics: Sequence[str], values: Floats, begin: int, day: int, catalogue: Catalogue
) -> Departures:
    """What the steps from ``begin`` on show against those before; as many steps before it are kept as context.

    ``values``: (step, server, metric) in the metrics' units, NaN = missing; the last step is the last one known.
    ``day``: steps in a day.
    """
    amounts = amounts_of(metrics)
    amount = np.empty((*values.shape[:2], 0)) if amounts is None else amounts.of(values)
    harm = np.array([*(harm_of(name, catalogue) for name in metrics), *([1] * amount.shape[2])])
    calm = without_season(np.concatenate([values, amount], axis=2), begin, day)
    surprise = harmful(surprises(calm, begin), harm)
    context = max(0, 2 * begin - len(values))
    added = moved(calm[..., len(metrics) :], begin)
    return Departures(tuple(servers), surprise[context:], begin - context, added[context:])
