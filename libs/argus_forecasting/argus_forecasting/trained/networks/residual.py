"""A residual perceptron over all inputs at once: small, fast, hard to beat on a few weeks of data.

References:
    Y. Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data", 2021 (the residual block).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from argus_forecasting.features.covariates import CHANNELS
from argus_forecasting.features.fleet import WIDTH as FLEET_WIDTH
from argus_forecasting.features.inputs import COARSE, DAY_QUANTILES, PEAKS, RECENT, STATICS
from argus_forecasting.features.past_days import KINDS
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.trained.networks.family import Network, NetworkSettings

EMBEDDING = 8
FIRST_CORRECTION = 0.1
"""Scale of the output's first weights: a new network begins near the statistical forecast."""
FLAT = ("recent", "coarse", "peaks", "days", "quantiles", "covariates", "fleet", "static")


class ResidualNetwork(Network):
    """Inputs side by side → ``layers`` residual blocks → a correction of every quantile of every lead."""

    def __init__(self, settings: NetworkSettings, schema: FeatureSchema) -> None:
        super().__init__()
        self._shape = (schema.horizon, len(schema.levels))
        self.register_buffer("_knots", torch.tensor(schema.knots) - 1, persistent=False)
        self.profile = nn.Embedding(len(schema.profiles) + 1, EMBEDDING)
        self.target = nn.Embedding(len(schema.targets) + 1, EMBEDDING)
        width = settings.hidden
        self.enter = nn.Linear(_width(schema), width)
        self.blocks = nn.ModuleList([_block(width, settings.dropout) for _ in range(settings.layers)])
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, self._shape[0] * self._shape[1])
        nn.init.zeros_(self.leave.bias)
        with torch.no_grad():
            self.leave.weight.mul_(FIRST_CORRECTION)

    def correction(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(window, lead, level)."""
        base = inputs["base"][:, self.get_buffer("_knots")]
        parts = [inputs[name].flatten(1) for name in FLAT]
        kinds = [self.profile(inputs["profile"]), self.target(inputs["target"])]
        hidden = self.enter(torch.cat([*parts, base.flatten(1), *kinds], dim=1))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        out: Tensor = self.leave(self.norm(hidden)).reshape(-1, *self._shape)
        return out


def _block(width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, width)
    )


def _width(schema: FeatureSchema) -> int:
    days, base = len(schema.knots) * len(KINDS), len(schema.knots) * len(schema.levels)
    plain = RECENT + COARSE + PEAKS + len(DAY_QUANTILES) + FLEET_WIDTH + STATICS
    return plain + days + base + len(schema.covariates) * CHANNELS + 2 * EMBEDDING
