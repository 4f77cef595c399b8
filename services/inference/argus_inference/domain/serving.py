"""Which forecaster serves now, and whether another one could take its place."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from argus_common.events import ModelReference
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.forecaster import Forecaster

USUAL_STEP_SECONDS = 300
KINDS = get_args(ModelReference.model_fields["kind"].annotation)
"""Kinds of models that readers of the event know."""


@dataclass(frozen=True, slots=True)
class Served:
    """A forecaster with the name that its forecasts carry. ``schema``: what it was trained for, None = anything.
    ``asked_for``: the settings name it, so nothing takes its place without a word. ``created``: seconds since the
    epoch, NaN = it was not trained, or does not say.
    """

    forecaster: Forecaster
    reference: ModelReference
    schema: FeatureSchema | None = None
    asked_for: bool = False
    created: float = math.nan

    @staticmethod
    def of(forecaster: Forecaster, schema: FeatureSchema | None = None) -> "Served":
        """This forecaster under its own name."""
        kind = forecaster.kind if forecaster.kind in KINDS else "unknown"
        document = {"name": forecaster.name, "version": forecaster.version, "kind": kind}
        return Served(forecaster, ModelReference.model_validate(document), schema)

    @property
    def step_seconds(self) -> int:
        """The step length to try it on."""
        return USUAL_STEP_SECONDS if self.schema is None else self.schema.step_seconds

    def takes(self, step_seconds: int) -> bool:
        """Whether windows of this step length are for it to forecast, or to fail on."""
        return self.asked_for or self.schema is None or self.schema.step_seconds == step_seconds

    @property
    def label(self) -> dict[str, str]:
        """Name, version and kind as they are told on ``/metrics``."""
        return {"name": self.reference.name, "version": self.reference.version, "kind": self.forecaster.kind}


def created_seconds(created: str) -> float:
    """Seconds since the epoch of a manifest's RFC 3339 time; NaN where it is none.

    >>> created_seconds("1970-01-01T00:01:00Z"), created_seconds("lately")
    (60.0, nan)
    """
    try:
        return datetime.fromisoformat(created).timestamp()
    except ValueError:
        return math.nan


class Serving:
    """Holds what serves. A group asks once, so that one model makes it from the ring to the event."""

    def __init__(self, first: Served, stand_in: Served) -> None:
        """Begin with ``first``; ``stand_in`` takes any step length, and serves where a promoted model does not."""
        self._now, self._stand_in = first, stand_in
        self.step_seconds: int | None = None
        """Of the windows that were forecast from last; None = there were none yet."""

    @property
    def now(self) -> Served:
        """What serves."""
        return self._now

    def of_step(self, step_seconds: int) -> Served:
        """What forecasts windows of this step length."""
        self.step_seconds = step_seconds
        return self._now if self._now.takes(step_seconds) else self._stand_in

    def switch(self, to: Served) -> None:
        """Let another one serve from the next group on; nothing here keeps the old one."""
        self._now = to


def misfit(served: Served, horizon: int, ring_steps: int, step_seconds: int | None) -> str | None:
    """Why a model can't serve here, None = it can.

    Args:
        served: the model.
        horizon: steps that are to be forecast.
        ring_steps: steps of history that there are at most.
        step_seconds: of the windows, None = not known yet.
    """
    schema, wanted = served.schema, served.forecaster.history_steps
    if schema is not None and schema.horizon < horizon:
        return f"it forecasts {schema.horizon} steps, ARGUS_INFERENCE_HORIZON_STEPS is {horizon}"
    if schema is not None and step_seconds is not None and schema.step_seconds != step_seconds:
        return f"it was trained on steps of {schema.step_seconds} s, the windows have {step_seconds} s"
    if wanted > ring_steps:
        return f"it looks at {wanted} steps, ARGUS_INFERENCE_RING_STEPS is {ring_steps}"
    return None
