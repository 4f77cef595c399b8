"""Outcomes as the domain makes them, and sites of this folder's own."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from inference_domain import LEVELS, TARGETS, StubForecaster, window

from argus_common.events import SCORED_LEADS, WindowClosed
from argus_forecasting.forecaster import Floats, ForecastBatch
from argus_inference.domain.outcome import Outcome, outcome
from argus_inference.domain.scoring import score

NewOutcome = Callable[..., Outcome]


def _values(windows: Sequence[WindowClosed]) -> Floats:
    rows = [[w.metrics.get(name, np.nan) for name in TARGETS.names] for w in windows]
    return np.array(rows, np.float32)


@pytest.fixture
def new_outcome() -> NewOutcome:
    """Makes outcomes of windows; ``change`` may alter the forecast, ``due`` is what was forecast for them."""

    def make(
        *windows: WindowClosed,
        change: Callable[[ForecastBatch], None] = lambda _: None,
        due: float = np.nan,
        horizon: int = 96,
    ) -> Outcome:
        windows = windows or (window(),)
        values, limits = _values(windows), TARGETS.limits(windows)
        forecast = StubForecaster().forecast(TARGETS.batch(values[:, :, None], windows, limits), horizon, LEVELS)
        change(forecast)
        made = due + np.tile(np.linspace(-1, 1, len(LEVELS)), (*values.shape, len(SCORED_LEADS), 1))
        scores = score(made.astype(np.float32), LEVELS, values, np.full_like(values, np.nan))
        return outcome(windows, values[:, :, None], limits, forecast, scores, TARGETS)

    return make
