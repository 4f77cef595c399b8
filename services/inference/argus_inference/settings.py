"""Settings of inference (``ARGUS_INFERENCE_…``)."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from argus_common.events import MODEL_NAME
from argus_common.ring.layout import DEFAULT_STEPS
from argus_common.settings import Duration, config

NEEDED_LEVELS = {0.1, 0.5, 0.9}


class InferenceSettings(BaseSettings):
    """What inference can be told."""

    model_config = config("ARGUS_INFERENCE_")

    group: str = Field(default="argus-inference", min_length=1, description="consumer group")
    horizon_steps: int = Field(default=96, ge=1, le=1000, description="steps that are forecast")
    quantile_levels: tuple[float, ...] = Field(
        default=(0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98), description="rising, between 0 and 1, with 0.1, 0.5 and 0.9"
    )
    model: Path | None = Field(
        default=None,
        description="folder of the version that serves while none is promoted; by default statistical",
    )
    models: Path | None = Field(
        default=None,
        description="model store to serve promoted versions from; without it promotions are not followed",
    )
    model_name: str = Field(default="fleet", pattern=MODEL_NAME, description="the model whose promotions are followed")
    drivers_from_risk: float | None = Field(
        default=None,
        ge=0,
        le=100,
        description="tell the drivers of servers of at least this risk; off by default",
    )
    ring_steps: int = Field(default=DEFAULT_STEPS, ge=288, le=100_000, description="as ingest has it")
    history_steps: int = Field(default=2112, ge=48, le=100_000, description="steps the forecaster looks at")
    chunk_servers: int = Field(default=128, ge=1, le=4096, description="servers forecast at once; bounds memory")
    max_poll_records: int = Field(default=2000, ge=1, le=100_000, description="windows per batch")
    max_hold: Duration = Field(
        default=timedelta(seconds=5),
        gt=timedelta(0),
        le=timedelta(minutes=5),
        description="while windows are queued, only read on for so long before forecasting from the newest",
    )
    max_dead_letter_share: float = Field(
        default=0.2, gt=0, le=1, description="of recent windows; above it consumption stops loudly"
    )
    metric_catalogue: Path | None = Field(default=None, description="YAML that extends the metric catalogue")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        levels = self.quantile_levels
        rising = list(levels) == sorted(set(levels)) and all(0 < level < 1 for level in levels)
        if not rising or not NEEDED_LEVELS.issubset(levels):
            raise ValueError("quantile_levels must rise between 0 and 1 and contain 0.1, 0.5 and 0.9")
        if self.history_steps > self.ring_steps:
            raise ValueError("history_steps can't be more than ring_steps")
        return self
