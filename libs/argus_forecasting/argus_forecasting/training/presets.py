"""How to train: one frozen class, and what suits a device."""

import os
from dataclasses import dataclass, field, replace
from typing import Literal

import torch

from argus_forecasting.trained.networks import NetworkSettings

Preset = Literal["small", "large"]


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """``steps`` optimiser steps of ``batch`` windows, in pools of ``pool`` windows that are gone through ``passes``
    times; ``patience``: validations without gain before it stops; ``workers``: processes that make windows ahead.
    """

    network: NetworkSettings = field(default_factory=NetworkSettings)
    steps: int = 6_000
    batch: int = 1024
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    clip: float = 1.0
    pool: int = 16_384
    passes: int = 3
    validate_every: int = 500
    validation_windows: int = 16_384
    patience: int = 6
    seed: int = 7
    accelerator: str = "cpu"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    devices: int = 1
    workers: int = 1


PRESETS: dict[tuple[str, str], TrainingSettings] = {
    ("residual", "small"): TrainingSettings(),
    ("residual", "large"): TrainingSettings(NetworkSettings("residual", 768, 4), steps=20_000),
    ("tft", "small"): TrainingSettings(
        NetworkSettings("tft", 32, 1, 4, dropout=0.1),
        steps=4_000,
        batch=256,
        passes=1,
        pool=16_384,
        validation_windows=4_096,
    ),
    ("tft", "large"): TrainingSettings(
        NetworkSettings("tft", 128, 2, 8), steps=40_000, batch=256, learning_rate=1e-3, passes=2
    ),
}
"""By family and preset. Small trains on two CPU cores in well under an hour; large is for a GPU."""


def auto(settings: TrainingSettings) -> TrainingSettings:
    """The same with batch, precision and workers for the device that is here."""
    cores = os.cpu_count() or 1
    if not torch.cuda.is_available():
        return replace(settings, accelerator="cpu", precision="32-true", workers=1 if cores > 1 else 0)
    modern = torch.cuda.get_device_capability()[0] >= 8
    return replace(
        settings,
        accelerator="cuda",
        devices=torch.cuda.device_count(),
        precision="bf16-mixed" if modern else "32-true",
        workers=max(1, cores - 2),
    )
