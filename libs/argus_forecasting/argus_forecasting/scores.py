"""How good a forecast is: one definition of each score."""

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]


def pinball(quantiles: Numbers, levels: tuple[float, ...], truth: Numbers) -> Doubles:
    """(…, level) pinball loss of ``quantiles`` (…, level) for ``truth`` (…); NaN where the truth is.

    References:
        R. Koenker, G. Bassett, "Regression Quantiles", 1978.

    >>> pinball(np.array([[1.0, 3.0]]), (0.25, 0.75), np.array([2.0])).tolist()
    [[0.25, 0.25]]
    """
    gap = truth[..., None] - quantiles
    steps = np.asarray(levels)
    return np.asarray(np.maximum(steps * gap, (steps - 1) * gap), np.float64)


def wql(quantiles: Numbers, levels: tuple[float, ...], truth: Numbers) -> float:
    """Weighted quantile loss: twice the mean pinball loss over the levels, summed, over the sum of absolute values.

    References:
        Y. Park et al., "Learning Quantile Functions without Quantile Crossing for Distribution-free Time Series
        Forecasting", 2022 (there as wQL); pooled over all series as in GIFT-Eval.

    >>> wql(np.array([[1.0, 3.0]]), (0.25, 0.75), np.array([2.0]))
    0.25
    """
    loss = 2 * pinball(quantiles, levels, truth).mean(axis=-1)
    return float(np.nansum(loss) / np.nansum(np.abs(truth)))


def mase(median: Numbers, truth: Numbers, seasonal_error: Numbers) -> Doubles:
    """(window,) mean absolute error over the leads, in units of the in-sample error of the seasonal naive forecast.

    ``median``, ``truth``: (window, lead). ``seasonal_error``: (window,); NaN where it is zero or nothing was observed.

    References:
        R. J. Hyndman, A. B. Koehler, "Another look at measures of forecast accuracy", 2006.

    >>> mase(np.array([[1.0, 2.0]]), np.array([[2.0, np.nan]]), np.array([0.5])).tolist()
    [2.0]
    """
    known = np.isfinite(truth)
    count = known.sum(axis=1)
    error = np.where(known, np.abs(truth - median), 0).sum(axis=1) / np.maximum(count, 1)
    usable = (count > 0) & (seasonal_error > 0)
    return np.where(usable, error / np.where(usable, seasonal_error, 1), np.nan)


def coverage(lower: Numbers, upper: Numbers, truth: Numbers) -> float:
    """Share of observed values inside a band, its bounds included.

    >>> coverage(np.array([0.0, 0.0]), np.array([1.0, 1.0]), np.array([1.0, 2.0]))
    0.5
    """
    known = np.isfinite(truth)
    return float(((truth >= lower) & (truth <= upper) & known).sum() / max(int(known.sum()), 1))


def brier_skill(probability: Numbers, happened: Mask) -> float:
    """1 − Brier score over that of the base rate; 1 is perfect, 0 knows the base rate only, NaN without variation.

    References:
        G. W. Brier, "Verification of forecasts expressed in terms of probability", 1950.

    >>> brier_skill(np.array([1.0, 0.0]), np.array([True, False]))
    1.0
    """
    rate = float(happened.mean())
    if rate in (0.0, 1.0):
        return float("nan")
    return float(1 - np.mean((probability - happened) ** 2) / (rate * (1 - rate)))


def reliability(probability: Numbers, happened: Mask, bins: int = 10) -> list[tuple[float, float, int]]:
    """(mean forecast probability, share that happened, count) of each bin of probabilities that is not empty.

    References:
        A. H. Murphy, R. L. Winkler, "Reliability of subjective probability forecasts of precipitation", 1977.

    >>> reliability(np.array([0.1, 0.9, 0.9]), np.array([False, True, False]), bins=2)
    [(0.1, 0.0, 1), (0.9, 0.5, 2)]
    """
    which = np.clip((probability * bins).astype(int), 0, bins - 1)
    found = []
    for number in np.unique(which).tolist():
        mine = which == number
        found.append((float(probability[mine].mean()), float(happened[mine].mean()), int(mine.sum())))
    return found


def seasonal_error(values: Numbers, season: int) -> Doubles:
    """(series,) mean absolute difference to the value one season before; NaN where nothing was observed twice."""
    if values.shape[1] <= season:
        return np.full(len(values), np.nan)
    change = np.abs(values[:, season:] - values[:, :-season])
    known = np.isfinite(change)
    count = known.sum(axis=1)
    total = np.where(known, change, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
