"""Everything that is known of a group of servers after forecasting them, in arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.events import WindowClosed
from argus_forecasting.forecaster import Floats, ForecastBatch, Mask, Signs
from argus_inference.domain.risk import risk_scores
from argus_inference.domain.scoring import Scores
from argus_inference.domain.series import Targets

RECENT_STEPS = 96
"""Steps that may pass between two origins of a server without a crossing between them being overlooked."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Servers of one fleet and step, with their forecasts.

    ``recent``: (server, target, time) the newest values, up to `RECENT_STEPS` of them, NaN = missing; the last column
    is the origin. ``quantiles``: (server, target, lead, level). ``seen``: (server, target) whether there is a forecast:
    the target was observed at some time, and the forecast is finite. ``limits``: (server, target), NaN = none.
    ``probability``: (server, target, within), NaN = no limit. ``time_to_threshold``: (server, target, 3) minutes, NaN =
    not within the horizon. ``risk``: (server,) 0 … 100. ``observed_share``, ``warming_up``: (server, target).
    ``withheld``: series whose forecast was not finite.
    ``demoted``: (server, target) the statistical forecaster stands in for a trained model.
    """

    windows: Sequence[WindowClosed]
    recent: Floats
    limits: Floats
    quantiles: Floats
    seen: Mask
    probability: Floats
    time_to_threshold: Floats
    risk: npt.NDArray[np.float64]
    observed_share: Floats
    warming_up: Mask
    scores: Scores
    withheld: int
    demoted: Mask

    @property
    def observed(self) -> Floats:
        """(server, target) the values at the origin, NaN = missing."""
        observed: Floats = self.recent[:, :, -1]
        return observed

    def crossed(self, harm: Signs) -> Mask:
        """(server, target) whether the value is beyond its limit now; ``harm``: (target,) in which direction."""
        return _crossed(self.observed, self.limits, harm)

    def beyond(self, targets: Targets) -> Mask:
        """(server, target, time) whether the newest values are at or beyond their limits."""
        return _crossed(self.recent, self.limits[:, :, None], targets.harm()[:, None])


def outcome(
    windows: Sequence[WindowClosed],
    values: Floats,
    limits: Floats,
    forecast: ForecastBatch,
    scores: Scores,
    targets: Targets,
    demoted: Mask | None = None,
) -> Outcome:
    """Fold the series of a forecast back into servers, and weigh the risk.

    ``values``: (server, target, time). ``demoted``: (server, target).
    """
    shape = (len(windows), len(targets.metrics))
    finite = np.isfinite(forecast.quantiles).all(axis=(1, 2))
    known = forecast.observed_share > 0
    seen = (known & finite).reshape(shape)
    probability = forecast.breach_probability.reshape(*shape, -1)
    limits = np.where(seen & np.isfinite(probability).all(axis=2), limits, np.float32(np.nan))
    probability = np.where(np.isnan(limits)[:, :, None], np.float32(np.nan), probability)
    return Outcome(
        windows,
        values[:, :, -RECENT_STEPS:].copy(),
        limits,
        forecast.quantiles.reshape(*shape, *forecast.quantiles.shape[1:]),
        seen,
        probability,
        forecast.time_to_threshold.reshape(*shape, -1),
        risk_scores(probability, _crossed(values[:, :, -1], limits, targets.harm()), targets.severity()),
        forecast.observed_share.reshape(shape),
        forecast.warming_up.reshape(shape),
        scores,
        int(np.count_nonzero(known & ~finite)),
        np.zeros(shape, bool) if demoted is None else demoted,
    )


def _crossed(observed: Floats, limits: Floats, harm: Signs) -> Mask:
    with np.errstate(invalid="ignore"):
        beyond: Mask = observed * harm >= limits * harm
    return beyond
