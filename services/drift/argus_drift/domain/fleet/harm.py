"""What a drift does to forecasts: how bad it is, and whether retraining would help."""

from typing import NamedTuple

import numpy as np

from argus_common.events.drift import DriftKind, RetrainingHelps
from argus_drift.domain.fleet.figures import Figures

AS_BEFORE = 1.2
"""PER below which forecasts are called as good as they were."""
ENOUGH_HOURS = 72
"""New behaviour of three days holds every hour of the day thrice."""
NOMINAL = 0.8
"""Coverage of a 10–90 % band that is right."""


class Helps(NamedTuple):
    """Whether retraining helps, and why."""

    answer: RetrainingHelps
    reason: str


def rate_of(figures: Figures) -> float:
    """PER of the target that suffers most, over the leads; NaN = can't be told."""
    return _largest(figures.error_rate)


def score_of(figures: Figures) -> float:
    """0 … 100: 50 where a server would be found: forecasts lose 1.5 times what they did, or 0.6 are covered."""
    rate, missed = rate_of(figures), _largest(NOMINAL - figures.coverage)
    by_loss = 0.0 if np.isnan(rate) else 150 * (1 - 1 / max(rate, 1.0))
    by_coverage = 0.0 if np.isnan(missed) else 250 * max(missed, 0.0)
    return min(100.0, max(by_loss, by_coverage))


def helps(figures: Figures, kind: DriftKind, hours: float) -> Helps:
    """Whether a model that knows the new behaviour would forecast better; ``hours`` of it were seen."""
    rate = rate_of(figures)
    if kind == "calibration" and not rate >= AS_BEFORE:
        return Helps("no", "only the width of the bands is wrong, which is corrected while forecasts are made")
    if np.isnan(rate):
        return Helps("unknown", "forecasts have not been scored for long enough to tell")
    if rate < AS_BEFORE:
        return Helps("no", f"forecasts lose {rate:.2f} times what they did: no more than usual")
    if hours < ENOUGH_HOURS:
        seen = f"{hours:.0f} h of the new behaviour were seen, {ENOUGH_HOURS} h are needed"
        return Helps("unknown", f"forecasts lose {rate:.1f} times what they did, but {seen}")
    return Helps("yes", f"forecasts lose {rate:.1f} times what they did, and {hours:.0f} h of new behaviour were seen")


def _largest(by_lead: np.ndarray) -> float:
    """Over the targets, of the mean over what is known of the leads."""
    known = np.isfinite(by_lead)
    count = known.sum(axis=1)
    means = np.where(known, by_lead, 0).sum(axis=1)[count > 0] / count[count > 0]
    return float(means.max()) if len(means) else float("nan")
