"""Settings of drift (``ARGUS_DRIFT_…``)."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from argus_common.settings import Duration, config


class DriftSettings(BaseSettings):
    """What drift can be told."""

    model_config = config("ARGUS_DRIFT_")

    group: str = Field(default="argus-drift", min_length=1, description="consumer group")
    settle: Duration = Field(
        default=timedelta(seconds=1),
        gt=timedelta(0),
        le=timedelta(minutes=5),
        description="a step whose last forecast came so long ago is over, though a few servers are missing",
    )
    max_poll_records: int = Field(default=2000, ge=1, le=100_000, description="forecasts per batch")
    max_dead_letter_share: float = Field(
        default=0.2, gt=0, le=1, description="of recent forecasts; above it consumption stops loudly"
    )
    metric_catalogue: Path | None = Field(
        default=None, description="YAML that extends the metric catalogue, as inference has it"
    )
