"""Settings of cascade (``ARGUS_CASCADE_…``)."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from argus_common.settings import Duration, config


class CascadeSettings(BaseSettings):
    """What cascade can be told."""

    model_config = config("ARGUS_CASCADE_")

    group: str = Field(default="argus-cascade", min_length=1, description="consumer group")
    settle: Duration = Field(
        default=timedelta(seconds=1),
        gt=timedelta(0),
        le=timedelta(minutes=5),
        description="a step whose last forecast came so long ago is over, though a few servers are missing",
    )
    topology: Path | None = Field(
        default=None,
        description="YAML (or Parquet, with polars) file of who depends on whom; cascades are found without it too",
    )
    learn_topology: bool = Field(
        default=False,
        description="learn from past cascades who depends on whom, beside the topology or in place of one",
    )
    alertmanager_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="Alertmanager to tell of open cascades, such as http://alertmanager:9093; by default none is told",
    )
    generator_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="what an alert links to; {fleet} and {cascade} (the fingerprint) are filled in",
    )
    max_poll_records: int = Field(default=2000, ge=1, le=100_000, description="forecasts per batch")
    max_dead_letter_share: float = Field(
        default=0.2, gt=0, le=1, description="of recent forecasts; above it consumption stops loudly"
    )
    metric_catalogue: Path | None = Field(
        default=None, description="YAML that extends the metric catalogue, as inference has it"
    )
