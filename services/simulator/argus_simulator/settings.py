"""Settings of the simulator (``ARGUS_SIMULATOR_…``)."""

from datetime import datetime, timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from argus_common.settings import Duration, config
from argus_simulator.domain.scenarios import Scenario
from argus_simulator.domain.wire import Form


class SimulatorSettings(BaseSettings):
    """What the simulator can be told."""

    model_config = config("ARGUS_SIMULATOR_")

    servers: int = Field(default=90, ge=7, le=100_000, description="size of the fleet")
    seed: int = Field(default=7, ge=0, description="the same seed gives the same bytes")
    fleet: str = Field(default="default", min_length=1, description="name of the fleet")
    scenario: Scenario = Field(default=Scenario.HEALTHY, description="what it goes through after its past")
    start: datetime | None = Field(default=None, description="event time of the present's beginning; now by default")
    interval: Duration = Field(default=timedelta(seconds=10), gt=timedelta(0), description="event time between samples")
    speed: float = Field(default=1.0, ge=0, description="event seconds per second; 0 = as fast as it goes")
    duration: Duration | None = Field(default=None, description="event time to produce; without an end by default")
    history: Duration = Field(
        default=timedelta(0), ge=timedelta(0), description="event time of past to produce first, at full speed"
    )
    history_interval: Duration = Field(
        default=timedelta(minutes=5), gt=timedelta(0), description="event time between samples of the past"
    )
    form: Form = Field(default=Form.WIDE, description="samples per record: wide, single or batch")
    missing: float = Field(default=0.0, ge=0, le=1, description="share of samples that never arrive")
    doubled: float = Field(default=0.0, ge=0, le=1, description="share of samples that arrive twice")
    delayed: float = Field(default=0.0, ge=0, le=1, description="share of samples that arrive one tick late")
    skewed: float = Field(default=0.0, ge=0, le=1, description="share of servers with a wrong clock")
    truth: Path | None = Field(default=None, description="file for the ground truth; a topic by default")
