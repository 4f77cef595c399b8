"""What a Temporal Fusion Transformer says itself of what it looked at: variable selection and attention.

References:
    B. Lim et al., "Temporal Fusion Transformers for Interpretable Multi-horizon Time Series Forecasting", 2021, §6.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from argus_forecasting.drivers import ATTENDED, OWN, Driver, Drivers, heaviest
from argus_forecasting.forecaster import Floats

MOMENTS = 2


@dataclass(frozen=True, slots=True)
class Looked:
    """``weight``: input → (window,) its share of the selections; the series' own past is `OWN`. ``attention``: (window,
    token), sums to 1. ``age``: (token,) steps before the origin that a token's middle lies.
    """

    weight: Mapping[str, Floats]
    attention: Floats
    age: Floats


def selected(looked: Looked, window: int, target: str, origin_step: int) -> Drivers:
    """The heaviest inputs of a window, then the moments that were attended to most.

    Args:
        looked: what the network said.
        window: which one.
        target: the metric that is forecast.
        origin_step: its origin, epoch step number.
    """
    weights: dict[str, float] = {}
    for name, values in looked.weight.items():
        told = target if name == OWN else name
        weights[told] = weights.get(told, 0.0) + float(values[window])
    attention = looked.attention[window]
    tokens = attention.argsort()[::-1][:MOMENTS].tolist()
    moments = (Driver(ATTENDED, float(attention[k]), origin_step - round(float(looked.age[k]))) for k in tokens)
    return (*heaviest(weights), *moments)
