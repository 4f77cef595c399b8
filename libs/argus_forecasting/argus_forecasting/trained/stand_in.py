"""The statistical forecast beside a trained one: scored at every origin, served where the model is demoted."""

import numpy as np

from argus_forecasting.drivers import Drivers
from argus_forecasting.forecaster import Floats, SeriesBatch, Trust
from argus_forecasting.statistical.analog_forecaster import BREACHES, AnalogForecaster
from argus_forecasting.statistical.answers import answers
from argus_forecasting.statistical.summary import quantiles_of

Answers = tuple[Floats, Floats, Floats]


def stand_in(batch: SeriesBatch, trust: Trust, paths: Floats, levels: tuple[float, ...], served: Answers) -> Floats:
    """(series, scored lead, level) what the statistical forecaster says, before any correction.

    Its answers take the place of the model's in ``served`` for the series that are demoted.

    Args:
        batch: the series.
        trust: what was learned online.
        paths: (series, lead, sample) the statistical forecaster's.
        levels: of the quantiles.
        served: quantiles, breach probability and time to threshold of the model; written to.
    """
    rows = np.flatnonzero(trust.demoted)
    if len(rows):
        theirs = paths[rows]
        quantiles = quantiles_of(theirs.copy(), levels)
        found = answers(batch.part(rows), theirs, quantiles, levels, BREACHES, trust.statistical.part(rows))
        for mine, other in zip(served, found, strict=True):
            mine[rows] = other
    return _at(paths, trust.statistical.leads, levels)


def drivers_beside(batch: SeriesBatch, own: tuple[Drivers, ...], horizon: int) -> tuple[Drivers, ...]:
    """The model's drivers, and for the series that are demoted those of the forecast that is served in its place."""
    if batch.trust is None or not batch.trust.demoted.any():
        return own
    rows, told = np.flatnonzero(batch.trust.demoted), list(own)
    beside = AnalogForecaster(batch.values.shape[1]).drivers(batch.part(rows), horizon)
    for row, drivers in zip(rows.tolist(), beside, strict=True):
        told[row] = drivers
    return tuple(told)


def _at(paths: Floats, leads: tuple[int, ...], levels: tuple[float, ...]) -> Floats:
    """Quantiles at the scored leads alone."""
    horizon = paths.shape[1]
    within = tuple(lead for lead in leads if lead <= horizon)
    few = quantiles_of(paths[:, [lead - 1 for lead in within]], levels)
    out = np.full((len(paths), len(leads), len(levels)), np.nan, np.float32)
    out[:, : len(within)] = few
    return out
