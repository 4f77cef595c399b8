"""What happens around training: a clean stop, an exact resume, a report of progress."""

import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, Checkpoint

from argus_forecasting.training.module import TRAINING_LOSS, VALIDATION_LOSS


class RandomState(Callback):
    """Keeps torch's random state in the checkpoint, so that a resumed training draws as if it had gone on."""

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Store it."""
        del trainer, module
        checkpoint["argus_random_state"] = torch.get_rng_state()

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Remember it until training begins: set-up draws numbers of its own."""
        del trainer, module
        self._state = checkpoint.get("argus_random_state")

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Restore it."""
        del trainer, module
        if (state := getattr(self, "_state", None)) is not None:
            torch.set_rng_state(state)


class KeepLast(Checkpoint):
    """Writes what a killed training is resumed from, after each validation: the file is whole or the one before."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def on_validation_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Write it; the best weights so far are already known."""
        del module
        if not trainer.sanity_checking:
            unfinished = self._file.with_suffix(".part")
            trainer.save_checkpoint(unfinished)
            if trainer.is_global_zero:
                unfinished.replace(self._file)


class StopOnSignal(Callback):
    """SIGINT and SIGTERM end training after the current step; the checkpoint and a usable model are written."""

    def __init__(self) -> None:
        self.stopped = False
        self._before: dict[int, Any] = {}

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Listen to both signals, in place of Lightning, which would raise in the middle of a validation."""
        del trainer, module

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stopped = True

        self._before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: object) -> None:
        """Stop all processes of a training after the same step, though the signal may have come to one of them."""
        self.stopped = bool(trainer.strategy.reduce_boolean_decision(self.stopped, all=False))
        trainer.should_stop = trainer.should_stop or self.stopped

    def on_train_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Listen no more."""
        del trainer, module
        self._restore()

    def on_exception(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Listen no more."""
        del trainer, module, exception
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}


Report = Callable[[int, int, dict[str, float]], None]
"""(step, steps, losses by name) after each step."""


class Progress(Callback):
    """Hands on how far training is."""

    def __init__(self, report: Report, steps: int) -> None:
        self._report, self._steps = report, steps

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: object) -> None:
        """After each optimiser step."""
        names = (TRAINING_LOSS, VALIDATION_LOSS)
        losses = {name: float(trainer.callback_metrics[name]) for name in names if name in trainer.callback_metrics}
        self._report(trainer.global_step, self._steps, losses)
