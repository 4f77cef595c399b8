"""Settings of the retrainer (``ARGUS_RETRAINER_…``)."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings

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
