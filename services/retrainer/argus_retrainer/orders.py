"""From settings to what a job is told."""

from pathlib import Path

from argus_common.errors import ConfigurationError
from argus_common.events import TrainingStarted
from argus_retrainer.domain.gate import GateRules
from argus_retrainer.job.files import JobOrder
from argus_retrainer.settings import RetrainerSettings


def order(settings: RetrainerSettings, training: TrainingStarted) -> JobOrder:
    """The order of a training; places are absolute, for a job may start elsewhere.

    Raises:
        ConfigurationError: there is no model store.
    """
    if settings.models is None:
        raise ConfigurationError("a training needs ARGUS_RETRAINER_MODELS")
    return JobOrder(
        model=training.model,
        version=training.version,
        started_ms=training.started_ms,
        archive=settings.archive if "://" in settings.archive else str(Path(settings.archive).absolute()),
        models=str(settings.models.absolute()),
        days=settings.training_days,
        held_out_days=settings.held_out_days,
        champion=training.champion,
        family=settings.family,
        preset=settings.preset,
        steps=settings.steps,
        horizon=settings.horizon_steps,
        warm_start=settings.warm_start,
        seed=settings.seed,
        catalogue=None if settings.metric_catalogue is None else str(settings.metric_catalogue.absolute()),
        niceness=settings.niceness,
        gate=GateRules(),
    )
