"""Everything that is known of a group of servers after forecasting them, in arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.events import WindowClosed
from argus_forecasting.forecaster import Floats, ForecastBatch
from argus_inference.domain.risk import risk_scores
from argus_inference.domain.scoring import Scores
from argus_inference.domain.series import Targets


@dataclass(frozen=True, slots=True)
class Outcome:
    """Servers of one fleet and step, with their forecasts.

    ``observed``: (server, target) at the origin, NaN = missing. ``quantiles``: (server, target, lead, level).
    ``limits``: (server, target). ``probability``: (server, target, within). ``time_to_threshold``: (server, target, 3)
    minutes. ``risk``: (server,) 0 … 100. ``observed_share``, ``warming_up``: (server, target).
    """

    windows: Sequence[WindowClosed]
    observed: Floats
    limits: Floats
    quantiles: Floats
    probability: Floats
    time_to_threshold: Floats
    risk: npt.NDArray[np.float64]
    observed_share: Floats
    warming_up: npt.NDArray[np.bool_]
    scores: Scores


def outcome(
    windows: Sequence[WindowClosed],
    observed: Floats,
    limits: Floats,
    forecast: ForecastBatch,
    scores: Scores,
    targets: Targets,
) -> Outcome:
    """Fold the series of a forecast back into servers, and weigh the risk."""
    shape = (len(windows), len(targets.metrics))
    share = forecast.observed_share.reshape(shape)
    limits = np.where(share > 0, limits, np.float32(np.nan))  # nothing is said of what was never seen
    probability = np.where(np.isnan(limits)[:, :, None], np.nan, forecast.breach_probability.reshape(*shape, -1))
    with np.errstate(invalid="ignore"):
        crossed = observed * targets.harm() >= limits * targets.harm()
    return Outcome(
        windows,
        observed,
        limits,
        forecast.quantiles.reshape(*shape, *forecast.quantiles.shape[1:]),
        probability,
        forecast.time_to_threshold.reshape(*shape, -1),
        risk_scores(probability, crossed, targets.severity()),
        share,
        forecast.warming_up.reshape(shape),
        scores,
    )
