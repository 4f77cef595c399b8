"""The Lightning module: optimiser, schedule, losses."""

from typing import Any

import lightning
import torch
from torch import Tensor

from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.trained.networks import Network
from argus_forecasting.training.objective import quantile_loss
from argus_forecasting.training.pools import Batch
from argus_forecasting.training.presets import TrainingSettings

VALIDATION_LOSS = "validation_loss"
TRAINING_LOSS = "training_loss"


class ForecastModule(lightning.LightningModule):
    """Trains a network on batches of windows."""

    def __init__(self, network: Network, schema: FeatureSchema, settings: TrainingSettings) -> None:
        super().__init__()
        self.network, self._settings = network, settings
        self.register_buffer("levels", torch.tensor(schema.levels, dtype=torch.float32), persistent=False)

    def training_step(self, batch: Batch, _number: int) -> Tensor:
        """Mean loss of the batch."""
        loss = self._loss(batch)
        self.log(TRAINING_LOSS, loss, prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, _number: int) -> None:
        """Log the mean loss over all validation windows."""
        self.log(VALIDATION_LOSS, self._loss(batch), batch_size=len(batch["truth"]), prog_bar=True, sync_dist=True)

    def configure_optimizers(self) -> Any:  # noqa: ANN401 - Lightning's own type is a union of a dozen
        """AdamW with one cycle of the learning rate (L. N. Smith, N. Topin, "Super-Convergence", 2018)."""
        settings = self._settings
        optimiser = torch.optim.AdamW(
            self.network.parameters(),
            settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=settings.precision == "32-true",  # of 900 small tensors; Lightning can't clip it in bf16
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, settings.learning_rate, total_steps=settings.steps, pct_start=0.15
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _loss(self, batch: Batch) -> Tensor:
        return quantile_loss(self.network(batch), batch["truth"], self.get_buffer("levels")).mean()
