"""Cuts windows out of a store: what a forecaster would have known at an origin, and what came then."""

from dataclasses import dataclass

import numpy as np

from argus_common.metrics import Catalogue
from argus_forecasting.batch import legal_range
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.forecaster import Floats, Ints, SeriesBatch
from argus_forecasting.trace_store import TraceStore, context_of, gather

HISTORY_STEPS = 2112
"""A week and a horizon of five-minute steps: what the statistical forecaster looks at."""


@dataclass(frozen=True, slots=True)
class Places:
    """Windows of a store: ``server``, ``metric``, ``column`` (window,); the column is the origin."""

    server: Ints
    metric: Ints
    column: Ints

    def __len__(self) -> int:
        return len(self.server)

    def part(self, rows: slice | Ints) -> "Places":
        """Some of them."""
        return Places(self.server[rows], self.metric[rows], self.column[rows])


def history(store: TraceStore, at: Places, length: int = HISTORY_STEPS) -> Floats:
    """(window, time) the ``length`` steps up to and including the origin; NaN before the beginning."""
    return gather(store.values, at.server, at.metric, at.column, length)


def truth(store: TraceStore, at: Places, horizon: int) -> Floats:
    """(window, lead) what came; NaN where nothing was observed."""
    return gather(store.values, at.server, at.metric, at.column + horizon, horizon)


def batch(store: TraceStore, at: Places, schema: FeatureSchema, catalogue: Catalogue) -> SeriesBatch:
    """What was known at these origins, the servers' other metrics included."""
    values = history(store, at)
    size = len(at)
    lower, upper = np.empty(size, np.float32), np.empty(size, np.float32)
    for metric in np.unique(at.metric).tolist():
        mine = at.metric == metric
        lower[mine], upper[mine] = legal_range(values[mine], catalogue.get(store.metrics[metric]))
    return SeriesBatch(
        values,
        store.first_step + at.column,
        store.step_seconds,
        lower,
        upper,
        np.full(size, np.nan, np.float32),
        np.ones(size, np.int8),
        context_of(store, at.server, at.column, at.metric, (*schema.covariates, *schema.targets)),
    )
