"""The other metrics of the server, each in its own units."""

import numpy as np

from argus_forecasting.features.scaling import Scale
from argus_forecasting.forecaster import Context, Floats
from argus_forecasting.statistical.history import History

WIDTH, RECENT = 6, 12
"""Means of six steps, twelve of them: the last six hours of five-minute steps."""
CHANNELS = RECENT + 2
"""Recent means, the last day's mean, and the share of the last day that was observed."""


HISTORY_DAYS = 2
"""How far back the units of a covariate are taken from."""


def covariates(context: Context, names: tuple[str, ...], day: int) -> Floats:
    """(server, covariate, channel) what the other metrics did lately; all zero where one is not reported."""
    out = np.zeros((len(context.values), len(names), CHANNELS), np.float32)
    columns = {name: i for i, name in enumerate(context.names)}
    for number, name in enumerate(names):
        if name in columns and len(context.values):
            out[:, number] = _channels(context.values[:, columns[name], -HISTORY_DAYS * day :], day)
    return out


def _channels(values: Floats, day: int) -> Floats:
    history = History.of(np.ascontiguousarray(values))
    scaled = Scale.of(history.filled, day).forward(history.filled[:, -max(day, WIDTH * RECENT) :])
    missing = WIDTH * RECENT - scaled.shape[1]
    recent = scaled[:, -WIDTH * RECENT :] if missing <= 0 else np.pad(scaled, ((0, 0), (missing, 0)), "edge")
    observed = history.known[:, -day:].mean(axis=1)
    means = recent.reshape(len(values), RECENT, WIDTH).mean(axis=2)
    channels = np.column_stack([means, scaled[:, -day:].mean(axis=1), observed]).astype(np.float32)
    channels[observed == 0] = 0
    return channels
