"""What every family is: a network that corrects the statistical forecast."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from argus_common.errors import ConfigurationError
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.trained.selection import Looked

Family = Literal["residual", "tft"]
STILL = 2e-3
"""Spread of the statistical forecast, in the window's units, below which a series counts as not moving."""


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """``hidden``: width. ``layers``: residual blocks, or LSTM layers. ``heads``: attention heads (tft)."""

    family: Family = "residual"
    hidden: int = 384
    layers: int = 2
    heads: int = 4
    dropout: float = 0.2

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "NetworkSettings":
        """The inverse of `to_json`.

        Raises:
            ConfigurationError: it has other fields, or names a family that this Argus does not know.
        """
        try:
            settings = NetworkSettings(**document)
        except TypeError as error:
            raise ConfigurationError(f"not the settings of a network: {error}") from error
        if settings.family not in FAMILIES:
            raise ConfigurationError(f"unknown model family {settings.family!r}; there are {', '.join(FAMILIES)}")
        return settings


class Network(nn.Module):
    """``forward``: inputs (`features.inputs.WindowInputs`) → (window, lead, level) quantiles in the window's units."""

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The statistical forecast plus a correction; untouched where the series does not move at all."""
        base = inputs["base"]
        moving = (base[:, :, -1:] - base[:, :, :1]) > STILL
        corrected: Tensor = base + self.correction(inputs) * moving
        return corrected

    def look(self, inputs: Mapping[str, Tensor]) -> Looked | None:
        """What it looked at, where it selects its inputs itself; None = it does not."""
        del inputs
        return None

    def correction(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(window, lead, level) what to add to the statistical forecast."""
        raise NotImplementedError


def _residual(settings: NetworkSettings, schema: FeatureSchema) -> Network:
    from argus_forecasting.trained.networks.residual import ResidualNetwork  # noqa: PLC0415

    return ResidualNetwork(settings, schema)


def _tft(settings: NetworkSettings, schema: FeatureSchema) -> Network:
    from argus_forecasting.trained.networks.tft import TftNetwork  # noqa: PLC0415 - pytorch-forecasting takes seconds

    return TftNetwork(settings, schema)


FAMILIES: dict[str, Callable[[NetworkSettings, FeatureSchema], Network]] = {"residual": _residual, "tft": _tft}


def preload() -> None:
    """Import what the families need, so that building one of their networks takes no seconds later."""
    for family in FAMILIES:
        importlib.import_module(f"argus_forecasting.trained.networks.{family}")


def build(settings: NetworkSettings, schema: FeatureSchema) -> Network:
    """A network with random weights."""
    return FAMILIES[settings.family](settings, schema)


def interpolation(knots: tuple[int, ...], horizon: int) -> Tensor:
    """(lead, knot) weights that make values at all leads of values at the knots; linear between them."""
    import numpy as np  # noqa: PLC0415

    leads = np.arange(1, horizon + 1)
    columns = [np.interp(leads, knots, row) for row in np.eye(len(knots))]
    return torch.tensor(np.stack(columns, axis=1), dtype=torch.float32)
