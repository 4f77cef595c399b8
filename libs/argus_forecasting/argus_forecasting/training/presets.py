"""How to train: one frozen class, and what suits a device."""

import os
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch

from argus_forecasting.trained.networks import NetworkSettings

Preset = Literal["small", "large"]

AMPERE = 8
"""First generation of GPUs with bf16."""
LARGER_BATCHES = ((12 * 2**30, 2), (32 * 2**30, 4))
"""(bytes of GPU memory, how many times the preset's batch)."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """``steps`` optimiser steps of ``batch`` windows, in pools of ``pool`` windows that are gone through ``passes``
    times; ``patience``: validations without gain before it stops; ``workers``: processes that make windows ahead, per
    device; ``accelerator``, ``precision``, ``devices``, ``strategy``: Lightning's own.
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
    precision: Any = "32-true"
    devices: int = 1
    strategy: str = "auto"
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


@dataclass(frozen=True, slots=True)
class Device:
    """What is here to train on. ``gpus``: how many. ``memory_bytes``, ``bf16``: of the smallest of them."""

    cores: int
    gpus: int = 0
    memory_bytes: int = 0
    bf16: bool = False


def device() -> Device:
    """This machine."""
    cores = os.cpu_count() or 1
    if not torch.cuda.is_available():
        return Device(cores)
    found = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return Device(cores, len(found), min(p.total_memory for p in found), all(p.major >= AMPERE for p in found))


def auto(settings: TrainingSettings, here: Device) -> TrainingSettings:
    """The same with batch, precision, devices and workers for a machine.

    A large GPU takes larger batches, in as many fewer steps, with the learning rate times the root of that (S. Malladi
    et al., "On the SDEs and Scaling Rules for Adaptive Gradient Algorithms", 2022).
    """
    if not here.gpus:
        return replace(settings, accelerator="cpu", precision="32-true", workers=1 if here.cores > 1 else 0)
    times = max((factor for least, factor in LARGER_BATCHES if here.memory_bytes >= least), default=1)
    return replace(
        settings,
        accelerator="cuda",
        devices=here.gpus,
        precision="bf16-mixed" if here.bf16 else "32-true",
        workers=max(1, (here.cores - 1) // here.gpus),
        batch=settings.batch * times,
        pool=settings.pool * times,
        steps=max(1, settings.steps // times),
        validate_every=max(1, settings.validate_every // times),
        learning_rate=settings.learning_rate * times**0.5,
    )
