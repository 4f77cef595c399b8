"""Makes shares of paths into probabilities that happen as often as they say.

Analogs promise too much: where 60 % of their paths cross, fewer do. The correction is a straight line between the
log-odds, per span (J. C. Platt, "Probabilistic outputs for support vector machines", 1999), fitted on the training
part of the bitbrains fleet (CPU, limit 90) and on the Azure trace (limit 70), whose lines agree, and averaged.
"""

import numpy as np

from argus_forecasting.forecaster import Floats

SPANS_MINUTES = (15.0, 60.0, 240.0, 480.0)
INTERCEPTS = (-0.51, -0.48, -0.72, -0.77)
SLOPES = (0.93, 0.86, 0.68, 0.61)


def calibrated(curve: Floats, step_seconds: int) -> Floats:
    """(series, lead) crossing probabilities after correction, still rising with the lead; NaN stays NaN."""
    minutes = np.log(np.arange(1, curve.shape[1] + 1) * step_seconds / 60)
    spans = np.log(SPANS_MINUTES)
    intercept, slope = np.interp(minutes, spans, INTERCEPTS), np.interp(minutes, spans, SLOPES)
    share = np.clip(curve, 1e-6, 1 - 1e-6)
    odds = intercept + slope * np.log(share / (1 - share))
    rising: Floats = np.maximum.accumulate(1 / (1 + np.exp(-odds)), axis=1).astype(np.float32)
    return rising
