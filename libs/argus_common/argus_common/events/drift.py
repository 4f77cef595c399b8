"""The life of a drift: servers that behave differently for good; what it does to their forecasts; that it is over."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from argus_common.events.base import Event, Name, Step, step_time
from argus_common.levels import Level

DriftKind = Literal["level", "trend", "variance", "seasonality", "relation", "error", "calibration"]
DriftScope = Literal["server", "profile", "fleet"]
DriftOutcome = Literal["returned", "adopted", "lost"]
RetrainingHelps = Literal["yes", "no", "unknown"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class DriftedServer(_Part):
    """A server that takes part in the drift."""

    server: Name
    profile: str = "generic"
    kind: DriftKind
    target: str = Field(description="what changed most; two names where their relation did")
    since: Step = Field(description="step with which its change began")
    excess: float = Field(ge=0, description="how far the furthest test went, in thresholds; 1 = just beyond")


class DriftMeasures(_Part):
    """How stale the forecasts of one target are, over the servers of the drift; null = can't be told."""

    target: str
    prediction_error_rate: float | None = Field(
        default=None, ge=0, description="PER: pinball loss over that of the reference; 1 = as good as then"
    )
    coverage: float | None = Field(default=None, ge=0, le=1, description="share of values inside the 10–90 % band")
    pit_distance: float | None = Field(default=None, ge=0, le=1, description="of the PITs from uniform; 0 = calibrated")
    anomaly_rate: float | None = Field(
        default=None, ge=0, le=1, description="share of values outside of what was 98 % sure; 0.02 = as it should be"
    )
    distribution_shift: float | None = Field(
        default=None, ge=0, description="DSS: mean difference of the distribution functions; 0 = none"
    )
    mean_shift: float | None = Field(default=None, description="FDS: of the mean, in the reference's deviations")
    deviation_ratio: float | None = Field(
        default=None, ge=0, description="FDS: deviation over that of the reference; 1 = none"
    )


class DriftEvent(Event):
    """What every event of a drift says. ``drift`` is the same from its detection to its end."""

    drift: str = Field(min_length=1, max_length=900, description="id, of this drift alone")
    fingerprint: str = Field(pattern=r"^[0-9a-f]{16}$", description="the same for the whole life; for deduplication")
    sequence: int = Field(ge=0, description="0 at the detection, one more at each event of the same drift")
    fleet: Name
    step_seconds: int = Field(ge=10, le=3600)
    step: Step = Field(description="last closed step that this event knows")
    detected: Step = Field(description="step at whose end the drift was detected")
    since: Step = Field(description="step with which it probably began")
    scope: DriftScope = Field(description="server: some that stand out; profile: many of one; fleet: many of all")
    profile: str = Field(default="", description="whose servers they are; empty = of several")
    kind: DriftKind = Field(description="the kind of change that most of them show")
    targets: list[str] = Field(description="metrics that changed, the most frequent first")
    servers: list[DriftedServer] = Field(description="who, the furthest out first; at most 100 of them")
    affected: int = Field(ge=0, description="servers that take part")
    watched: int = Field(ge=0, description="servers of the scope whose behaviour is known well enough to tell")
    certainty: float = Field(ge=0, le=1, description="that this is no chance and lasts")
    severity: Level = Field(description="of the score: how bad it is for the forecasts")
    score: float = Field(ge=0, le=100, description="severity as a number")
    measures: list[DriftMeasures] = Field(default_factory=list, description="per target")
    retraining_helps: RetrainingHelps = Field(
        default="unknown", description="whether a model that knows the new behaviour would forecast better"
    )
    retraining_reason: str = Field(default="", description="why, for a person")
    message: str = Field(default="", description="what happened, for a person")
    look_first: str = Field(default="", description="what a person should look at first")

    def key(self) -> str:
        """The fleet."""
        return self.fleet

    def id(self) -> str:
        """Drift and sequence number."""
        return f"{self.drift}/{self.sequence}"

    def time(self) -> datetime:
        """The end of the step."""
        return step_time(self.step + 1, self.step_seconds)


class DriftDetected(DriftEvent):
    """Servers behave differently for good, or their forecasts have become worse for good."""

    type: ClassVar[str] = "io.argus.drift.detected.v1"


class DriftUpdated(DriftEvent):
    """More servers take part, or it became clearer, worse, or better."""

    type: ClassVar[str] = "io.argus.drift.updated.v1"


class DriftCleared(DriftEvent):
    """A drift is over.

    returned: they behave as before. adopted: what they do now is what they are compared with, and forecasts know it.
    lost: they are not heard of.
    """

    type: ClassVar[str] = "io.argus.drift.cleared.v1"

    outcome: DriftOutcome
    duration_seconds: int = Field(ge=0, description="from the beginning to the end")
