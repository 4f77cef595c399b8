"""ForecastIssued: the next steps of one server, as quantiles, with breach probabilities, risk and past scores."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from argus_common.events.base import Event, Name, Step, step_time
from argus_common.levels import Level

SCORED_LEADS = (1, 12, 96)
"""Leads, in steps, of the earlier forecasts that are scored where their step has closed."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class ModelReference(_Part):
    """Which model spoke."""

    name: str
    version: str
    kind: Literal["statistical", "tft", "residual", "unknown"] = "unknown"
    demoted: bool = Field(default=False, description="the statistical forecaster stands in for a worse model")
    demoted_targets: tuple[str, ...] = Field(default=(), description="targets for which it does")


class TimeToThreshold(_Part):
    """Seconds from the origin until the limit is crossed; null = not within the horizon."""

    p10: float | None = Field(default=None, ge=0)
    p50: float | None = Field(default=None, ge=0)
    p90: float | None = Field(default=None, ge=0)


class Breach(_Part):
    """How likely one limit is crossed, at any step until then."""

    target: str
    limit: float
    harm: Literal[1, -1] = 1
    probability: dict[str, float] = Field(description="within 15m, 1h, 4h, 8h after the origin, 0 … 1, rising")
    time_to_threshold: TimeToThreshold = TimeToThreshold()


class ForecastScore(_Part):
    """How an earlier forecast did for the step that is the origin now."""

    target: str
    lead: int = Field(ge=1, description="steps between the earlier origin and now")
    pit: float = Field(ge=0, le=1, description="where the value fell in the forecast distribution")
    residual: float = Field(description="value − median forecast, in the target's unit")
    pinball: float = Field(ge=0, description="mean pinball loss over the levels, in the target's unit")
    model_pinball: float | None = Field(
        default=None, ge=0, description="of the trained model that serves, before any correction; null = none serves"
    )
    statistical_pinball: float | None = Field(
        default=None, ge=0, description="of the statistical forecaster beside it, likewise"
    )


class Quality(_Part):
    """How much the forecast had to go on."""

    observed_share: float = Field(ge=0, le=1, description="share of the history that was observed")
    warming_up: bool = False


class Driver(_Part):
    """One thing that a forecast was made from, and how much it counted."""

    target: str
    input: str = Field(description="a metric of the server, or what else was looked at")
    moment: datetime | None = Field(default=None, description="when that was, where it is a moment of the past")
    weight: float = Field(ge=0, le=1, description="beside the others; of a moment, how alike it was")
    effect: float | None = Field(
        default=None, description="what knowing it adds to the quantile nearest to the limit, in the target's unit"
    )


class ForecastIssued(Event):
    """The forecast of every target of one server from one origin."""

    type: ClassVar[str] = "io.argus.forecast.issued.v1"

    fleet: Name
    server: Name
    profile: str = "generic"
    origin: Step = Field(description="number of the last closed step that the forecast knows")
    step_seconds: int = Field(ge=10, le=3600)
    model: ModelReference
    observed: dict[str, float] = Field(description="value of each target at the origin")
    levels: tuple[float, ...] = Field(description="quantile levels, rising, 0 … 1")
    quantiles: dict[str, list[list[float]]] = Field(description="target → (lead, level), in the target's unit")
    breaches: list[Breach] = Field(default_factory=list)
    risk: float = Field(ge=0, le=100)
    level: Level
    scores: list[ForecastScore] = Field(default_factory=list)
    quality: dict[str, Quality] = Field(default_factory=dict, description="per target")
    drivers: list[Driver] = Field(
        default_factory=list, description="what mattered most to the forecast of a server at risk; told when asked for"
    )

    def key(self) -> str:
        """The fleet: cascade and drift see a fleet in order."""
        return self.fleet

    def id(self) -> str:
        """Fleet, server, step length, origin and model."""
        return f"{self.fleet}/{self.server}/{self.step_seconds}/{self.origin}/{self.model.name}@{self.model.version}"

    def time(self) -> datetime:
        """The end of the origin step."""
        return step_time(self.origin + 1, self.step_seconds)
