"""Trains a network: resumable to the exact step, stopped by a signal, best weights kept."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.data import DataLoader, IterableDataset

from argus_forecasting.trained.networks import Network, build
from argus_forecasting.training.callbacks import KeepLast, Progress, RandomState, Report, StopOnSignal
from argus_forecasting.training.module import VALIDATION_LOSS, ForecastModule
from argus_forecasting.training.pools import Batch, PoolPlan, Share, Source, TrainingBatches
from argus_forecasting.training.presets import TrainingSettings
from argus_forecasting.training.sampling import Split

LAST = "last.ckpt"
LEAST_GAIN = 1e-5


@dataclass(frozen=True, slots=True)
class Fitted:
    """``network`` has the best weights on the validation part; ``loss`` there, NaN = never validated; ``step`` reached;
    ``stopped`` by a signal before its end; ``rank`` of this process among those that trained, 0 = the one that writes.
    """

    network: Network
    loss: float
    step: int
    stopped: bool
    rank: int = 0


class _Prepared(IterableDataset[Batch]):
    """Batches cut from windows that are already in memory."""

    def __init__(self, everything: Batch, size: int) -> None:
        super().__init__()
        self._everything, self._size = everything, size

    def __iter__(self) -> Iterator[Batch]:
        for begin in range(0, len(self._everything["truth"]), self._size):
            yield {name: values[begin : begin + self._size] for name, values in self._everything.items()}


def fit(
    source: Source,
    parts: Split,
    validation: Batch,
    settings: TrainingSettings,
    folder: Path,
    report: Report,
    warm: Network | None = None,
) -> Fitted:
    """Train until the steps are done, validation has not gained for long, or a signal comes.

    A checkpoint in ``folder`` is gone on from: optimiser, schedule, random state and position in the data included.

    Args:
        source: where windows come from.
        parts: which spans are for what.
        validation: windows that decide which weights are best.
        settings: how to train.
        folder: for checkpoints.
        report: called after each step.
        warm: a network of the same shape whose weights are the beginning; random ones by default.
    """
    network = _begin(source, settings, warm)
    checkpoint = folder / LAST
    begun = checkpoint if checkpoint.exists() else None
    stop = StopOnSignal()
    best = ModelCheckpoint(
        folder, "best", monitor=VALIDATION_LOSS, enable_version_counter=False, save_on_train_epoch_end=False
    )
    progress = Progress(report, settings.steps)
    callbacks = [RandomState(), progress, stop, _patience(settings), best, KeepLast(checkpoint)]
    with _quiet():
        trainer = _trainer(settings, callbacks, folder)
        trainer.fit(
            ForecastModule(network, source.schema, settings),
            _loader(source, parts, settings, _step_of(begun), Share(trainer.global_rank, trainer.world_size)),
            DataLoader(_Prepared(validation, settings.batch), batch_size=None, generator=torch.Generator()),
            ckpt_path=begun,
            weights_only=False,
        )
        trainer.save_checkpoint(checkpoint)
    loss = float("nan") if best.best_model_score is None else float(best.best_model_score)
    if best.best_model_path:
        _take(network, Path(best.best_model_path))
    return Fitted(network.cpu().eval(), loss, trainer.global_step, stop.stopped, trainer.global_rank)


def rank() -> int:
    """Of this process among those of a training on several devices; Lightning starts the others by the same command."""
    return int(getattr(rank_zero_only, "rank", 0))


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning tells of devices, tips and its own deprecations; what matters is reported by us."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\..*")
        yield


def _begin(source: Source, settings: TrainingSettings, warm: Network | None) -> Network:
    torch.set_num_threads(1 if settings.accelerator == "cpu" else torch.get_num_threads())
    torch.manual_seed(settings.seed)
    network = build(settings.network, source.schema)
    if warm is not None:
        network.load_state_dict(warm.state_dict())
    return network


def _take(network: Network, checkpoint: Path) -> None:
    """The weights of a checkpoint of our own, which Lightning writes with pickle; artefacts hold none."""
    kept = torch.load(checkpoint, weights_only=False, map_location="cpu")["state_dict"]
    network.load_state_dict({name.removeprefix("network."): values for name, values in kept.items()})


def _trainer(settings: TrainingSettings, callbacks: list[Callback], folder: Path) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        strategy=settings.strategy,
        precision=settings.precision,
        max_steps=settings.steps,
        max_epochs=-1,
        gradient_clip_val=settings.clip,
        val_check_interval=min(settings.validate_every, settings.steps),
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        callbacks=callbacks,
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _patience(settings: TrainingSettings) -> EarlyStopping:
    return EarlyStopping(VALIDATION_LOSS, LEAST_GAIN, settings.patience, mode="min", check_finite=True)


def _loader(source: Source, parts: Split, settings: TrainingSettings, start: int, share: Share) -> DataLoader[Batch]:
    plan = PoolPlan(settings.pool, settings.batch, settings.passes, settings.seed)
    batches = TrainingBatches(source, parts.train, plan, start, share)
    return DataLoader(
        batches,
        batch_size=None,
        num_workers=settings.workers,
        prefetch_factor=plan.batches if settings.workers else None,  # the next pool is made while one is gone through
        generator=torch.Generator(),  # its own, so that a resumed training draws the same numbers from the common one
    )


def _step_of(checkpoint: Path | None) -> int:
    """How many optimiser steps a checkpoint has behind it."""
    if checkpoint is None:
        return 0
    return int(torch.load(checkpoint, weights_only=False, map_location="cpu")["global_step"])
