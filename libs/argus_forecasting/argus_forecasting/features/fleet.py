"""The fleet's aggregate as inputs: 15 of the whole fleet, 3 of how the server differs from it."""

import numpy as np
import numpy.typing as npt

from argus_common.fleet import FLEET_METRICS, STRESS_LIMITS, FleetSums
from argus_forecasting.forecaster import Floats

DEVIATIONS = tuple(STRESS_LIMITS)
WIDTH = 3 * len(FLEET_METRICS) + len(STRESS_LIMITS) + len(DEVIATIONS)
"""18."""
UNITS = np.array([100.0] * 9 + [10.0] * 3 + [1.0] * 3 + [100.0] * 3, np.float32)
"""What each feature is divided by: percentages, load, shares, percentages."""


def fleet_features(sums: FleetSums, values: npt.NDArray[np.floating], names: tuple[str, ...]) -> Floats:
    """(server, 18) of one step, NaN = unknown.

    Args:
        sums: over all servers of the fleet at that step.
        values: (server, metric) of some of its servers at that step, NaN = missing.
        names: (metric,).
    """
    whole = sums.features()
    out = np.full((len(values), WIDTH), np.nan, np.float32)
    out[:, : len(whole)] = list(whole.values())
    for i, name in enumerate(DEVIATIONS):
        if name in names:
            out[:, len(whole) + i] = values[:, names.index(name)] - whole[f"fleet_{name}_mean"]
    return out


def as_inputs(features: Floats) -> Floats:
    """(server, 18) in units of their own, unknown ones zero."""
    inputs: Floats = np.nan_to_num(np.arcsinh(features / UNITS), nan=0.0, posinf=0.0, neginf=0.0)
    return inputs
