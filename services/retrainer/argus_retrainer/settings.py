"""Settings of the retrainer (``ARGUS_RETRAINER_…``)."""

from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from argus_common.events import MODEL_NAME
from argus_common.settings import Duration, config


class RetrainerSettings(BaseSettings):
    """What the retrainer can be told."""

    model_config = config("ARGUS_RETRAINER_")

    group: str = Field(default="argus-retrainer", min_length=1, description="consumer group")
    archive: str = Field(
        default="archive", min_length=1, description="folder of the archive, or s3://bucket/prefix, gs://, abfs://"
    )
    archive_days: int = Field(default=90, ge=14, description="days of each fleet that the archive keeps")
    archive_every: Duration = Field(
        default=timedelta(minutes=10),
        gt=timedelta(0),
        le=timedelta(hours=6),
        description="windows wait for so long at most before they are in the archive and their offsets committed",
    )
    archive_windows: int = Field(
        default=100_000, ge=1, le=5_000_000, description="windows in memory at most before they are written"
    )
    tidy_every: Duration = Field(
        default=timedelta(hours=1), gt=timedelta(0), description="how often days are compacted and old ones dropped"
    )
    max_dead_letter_share: float = Field(
        default=0.2, gt=0, le=1, description="of recent windows; above it consumption stops loudly"
    )
    metric_catalogue: Path | None = Field(default=None, description="YAML that extends the metric catalogue")
    models: Path | None = Field(
        default=None, description="model store to train into; without it windows are archived and nothing is trained"
    )
    model_name: str = Field(default="fleet", pattern=MODEL_NAME, description="the model that is trained")
    keep_versions: int = Field(default=10, ge=2, description="versions trained here that are kept, the newest")
    work: Path = Field(default=Path("retrainer-work"), description="folder of trainings: orders, checkpoints, logs")
    training_days: int = Field(default=60, ge=3, description="days of the archive that are trained on, the newest")
    held_out_days: int = Field(default=2, ge=1, description="the newest of them, kept for the gate")
    least_days: int = Field(default=9, ge=3, description="days in the archive before anything is trained")
    family: str = Field(default="residual", description="residual (fast) or tft")
    preset: Literal["small", "large"] = Field(default="small", description="small (two CPU cores) or large (a GPU)")
    steps: int | None = Field(default=None, ge=1, description="optimiser steps, in place of the preset's")
    horizon_steps: int | None = Field(default=None, ge=2, le=1000, description="steps forecast; 96 by default")
    warm_start: bool = Field(default=False, description="train the serving version further, in place of a fresh one")
    seed: int = Field(default=7, ge=0, description="the same seed and data give the same model")
    niceness: int = Field(default=10, ge=0, le=19, description="how much a training gives way to other processes")
    time_limit: Duration = Field(
        default=timedelta(hours=12), gt=timedelta(0), description="a training that takes longer is ended"
    )
    cool_down: Duration = Field(
        default=timedelta(hours=24), ge=timedelta(0), description="after a training began none begins for so long"
    )
    per_week: int = Field(default=3, ge=1, description="trainings that may begin in seven days")
    age: Duration = Field(
        default=timedelta(days=30), gt=timedelta(0), description="after so long one is due without any other cause"
    )
    most_at_risk: float = Field(
        default=0.05, ge=0, le=1, description="share of a fleet's servers with a warning or worse that still is quiet"
    )
    watch_bound: float = Field(
        default=1.15, gt=1, description="live loss over the statistical forecaster's above which a version is withdrawn"
    )
    watch_span: Duration = Field(
        default=timedelta(hours=6), gt=timedelta(0), description="event time over which that loss is taken"
    )

    launcher: Literal["local", "kubernetes"] = Field(
        default="local", description="where trainings run: a process of this machine, or a Kubernetes Job"
    )
    job_image: str = Field(default="", description="of a Job; it needs the package argus-retrainer")
    job_claim: str = Field(default="", description="volume claim of a Job, with work folder, models and archive")
    job_mount: Path = Field(default=Path("/argus"), description="where that volume is mounted, here and in a Job")
    job_cpu: str = Field(default="2", pattern=r"^[0-9]+m?$", description="of a Job")
    job_memory: str = Field(default="8Gi", pattern=r"^[0-9]+(Mi|Gi)$", description="of a Job")
    job_secret: str | None = Field(default=None, description="Secret whose variables a Job gets, for an object store")

    @model_validator(mode="after")
    def _a_job_is_told_where(self) -> Self:
        if self.launcher == "kubernetes" and not (self.job_image and self.job_claim):
            raise ValueError("launcher kubernetes needs job_image and job_claim")
        return self

    @model_validator(mode="after")
    def _enough_to_learn_from(self) -> Self:
        if self.held_out_days * 2 > self.least_days:
            raise ValueError("held_out_days can't be more than half of least_days")
        if self.training_days < self.least_days:
            raise ValueError("training_days can't be less than least_days")
        return self
