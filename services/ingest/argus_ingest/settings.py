"""Settings of ingest (``ARGUS_INGEST_…``)."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from argus_common.ring.layout import DEFAULT_STEPS
from argus_common.settings import Duration, config


class IngestSettings(BaseSettings):
    """What ingest can be told."""

    model_config = config("ARGUS_INGEST_")

    group: str = Field(default="argus-ingest", min_length=1, description="consumer group")
    step: Duration = Field(
        default=timedelta(minutes=5), ge=timedelta(seconds=10), le=timedelta(hours=1), description="length of a step"
    )
    allowed_lateness: Duration = Field(
        default=timedelta(seconds=60), ge=timedelta(0), description="how long a step stays open after its end"
    )
    max_future_skew: Duration = Field(
        default=timedelta(minutes=5), ge=timedelta(0), description="samples further ahead of our clock are refused"
    )
    idle_timeout: Duration = Field(
        default=timedelta(minutes=2),
        gt=timedelta(0),
        description="a silent server's steps then close by the wall clock",
    )
    silence_steps: int = Field(
        default=288,
        ge=2,
        description="steps this far behind the others' event time are closed; after such a gap counters begin anew",
    )
    ring_steps: int = Field(
        default=DEFAULT_STEPS,
        ge=288,
        le=100_000,
        description="steps kept in Redis per server; one that is gone for longer is forgotten",
    )
    max_servers: int = Field(default=200_000, ge=1, description="servers one replica knows at most")
    max_dead_letter_share: float = Field(
        default=0.2, gt=0, le=1, description="of recent records; above it consumption stops loudly"
    )
    max_poll_records: int = Field(
        default=500, ge=1, le=100_000, description="records per batch; larger ones fall out of the processor's cache"
    )
    mapping_file: Path | None = Field(default=None, description="YAML: names, units, what to ignore, profiles")
    metric_catalogue: Path | None = Field(default=None, description="YAML that extends the metric catalogue")

    @model_validator(mode="after")
    def _whole_seconds(self) -> Self:
        if self.step.total_seconds() % 1:
            raise ValueError("the step must be whole seconds")
        return self

    @property
    def step_seconds(self) -> int:
        """Length of a step."""
        return int(self.step.total_seconds())

    @property
    def rings_kept(self) -> timedelta:
        """How long a ring stays that is no longer written: until all of it is too old, and a day."""
        return self.ring_steps * self.step + timedelta(days=1)
