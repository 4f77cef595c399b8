"""What a network's inputs are worth: each kind is made unknown in turn, and the forecast's change is its effect.

References:
    M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", 2014 (occlusion). Here an input is
    replaced by what the network was trained to take for unknown, or by "as usual": zero in the window's units.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from argus_forecasting.drivers import CALENDAR, COURSE, FLEET, OWN, PAST_DAYS, PROFILE, Drivers, heaviest
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.forecaster import Floats

Arrays = Mapping[str, npt.NDArray[np.float32 | np.int64]]
"""Inputs by name (`WindowInputs.arrays`)."""

OWN_INPUTS = ("recent", "coarse", "peaks", "quantiles")
CALENDAR_STATICS = 4


def by_occlusion(
    height: Callable[[Arrays], Floats], inputs: Arrays, schema: FeatureSchema, targets: list[str]
) -> tuple[Drivers, ...]:
    """Of every window the kinds of input whose loss changes the forecast most.

    Args:
        height: inputs → (window,) the figure whose change counts, in the target's unit.
        inputs: of the windows.
        schema: of the network.
        targets: (window,) the metric that is forecast; its past is one kind, whichever inputs hold it.
    """
    whole = height(inputs)
    effects = {name: whole - height(changed) for name, changed in _occluded(inputs, schema, targets)}
    return tuple(_of_window(effects, i, target) for i, target in enumerate(targets))


def _of_window(effects: Mapping[str, Floats], window: int, target: str) -> Drivers:
    own = {name: float(effect[window]) for name, effect in effects.items() if name != target}
    named = {(target if name == OWN else name): effect for name, effect in own.items()}
    return heaviest({name: abs(effect) for name, effect in named.items()}, named)


def _occluded(inputs: Arrays, schema: FeatureSchema, targets: list[str]) -> Iterator[tuple[str, Arrays]]:
    """Kind of input → the inputs without it."""
    columns = {name: i for i, name in enumerate(schema.covariates)}
    yield (
        OWN,
        {**inputs, **{name: np.zeros_like(inputs[name]) for name in OWN_INPUTS}, **_without(inputs, columns, targets)},
    )
    for name in columns:
        yield name, {**inputs, **_without(inputs, columns, [name] * len(targets))}
    yield PAST_DAYS, {**inputs, "days": np.zeros_like(inputs["days"])}
    yield COURSE, {**inputs, "base": np.repeat(inputs["base"][:, :1], inputs["base"].shape[1], axis=1)}
    yield FLEET, {**inputs, "fleet": np.zeros_like(inputs["fleet"])}
    yield PROFILE, {**inputs, "profile": np.zeros_like(inputs["profile"])}
    static = inputs["static"].copy()
    static[:, :CALENDAR_STATICS] = 0
    yield CALENDAR, {**inputs, "static": static}


def _without(inputs: Arrays, columns: Mapping[str, int], names: list[str]) -> Arrays:
    """The covariates without the one that is named for each window, where there is one."""
    covariates = inputs["covariates"].copy()
    known = [(i, columns[name]) for i, name in enumerate(names) if name in columns]
    if known:
        windows, taken = zip(*known, strict=True)
        covariates[list(windows), list(taken)] = 0
    return {"covariates": covariates}
