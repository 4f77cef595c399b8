"""Makes shares of paths into probabilities that happen as often as they say."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from argus_forecasting.forecaster import Floats

SPANS_MINUTES = (15.0, 60.0, 240.0, 480.0)
LIMITS = 1e-6

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """``intercepts``, ``slopes``: per span, of the line between the log-odds of the share of paths that cross and of
    how often a limit was crossed (J. C. Platt, "Probabilistic outputs for support vector machines", 1999).
    ``blend``: share of the correction by the network that is used, 0 … 1.
    """

    intercepts: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    slopes: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    blend: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Calibration":
        """The inverse of `to_json`.

        Raises:
            ValueError: another number of spans, or a number that is not finite.
        """
        intercepts = tuple(float(v) for v in document["intercepts"])
        slopes = tuple(float(v) for v in document["slopes"])
        blend = float(document["blend"])
        if len(intercepts) != len(SPANS_MINUTES) or len(slopes) != len(SPANS_MINUTES):
            raise ValueError(f"calibration of {len(intercepts)} and {len(slopes)} spans, expected {len(SPANS_MINUTES)}")
        if not np.isfinite([*intercepts, *slopes, blend]).all() or not 0 <= blend <= 1:
            raise ValueError("calibration with a number that is not finite, or a blend outside 0 … 1")
        return Calibration(intercepts, slopes, blend)

    def probabilities(self, curve: Floats, step_seconds: int) -> Floats:
        """(series, lead) crossing probabilities of shares of paths, still rising with the lead; NaN stays NaN."""
        minutes = np.log(np.arange(1, curve.shape[1] + 1) * step_seconds / 60)
        spans = np.log(SPANS_MINUTES)
        intercept, slope = np.interp(minutes, spans, self.intercepts), np.interp(minutes, spans, self.slopes)
        share = np.clip(curve, LIMITS, 1 - LIMITS)
        odds = intercept + slope * np.log(share / (1 - share))
        rising: Floats = np.maximum.accumulate(1 / (1 + np.exp(-odds)), axis=1).astype(np.float32)
        return rising


def on_line(share: Floats, intercept: float, slope: float) -> Floats:
    """(event,) probabilities of shares of paths by a line between log-odds."""
    sure = np.clip(share, LIMITS, 1 - LIMITS)
    probability: Floats = np.exp(-np.logaddexp(0, -(intercept + slope * np.log(sure / (1 - sure)))))
    return probability


def fit_lines(share: Floats, crossed: Floats, weight: float = 1.0) -> tuple[float, float]:
    """(intercept, slope) by penalised maximum likelihood; the penalty draws to the identity where there are few events.

    Args:
        share: (event,) of paths that cross.
        crossed: (event,) 1 where the limit was crossed, else 0.
        weight: of the penalty.
    """
    clipped = np.clip(share.astype(np.float64), LIMITS, 1 - LIMITS)
    design = np.column_stack([np.ones_like(clipped), np.log(clipped / (1 - clipped))])
    identity = np.array([0.0, 1.0])

    def loss(line: Doubles) -> tuple[float, Doubles]:
        odds, away = design @ line, line - identity
        value = np.logaddexp(0, odds).sum() - odds @ crossed + 0.5 * weight * away @ away
        return float(value), design.T @ (expit(odds) - crossed) + weight * away

    line = minimize(loss, identity, jac=True, method="BFGS").x
    return float(line[0]), float(line[1])
