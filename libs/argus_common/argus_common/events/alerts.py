"""The life of an alert: a limit will probably be crossed, or is; what changed; how it ended."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from argus_common.events.base import Event, Name, Step, step_time
from argus_common.events.forecast import TimeToThreshold
from argus_common.levels import Level

Phase = Literal["expected", "breached", "unknown"]
OutcomeName = Literal["hit", "late", "false", "mitigated", "unknown"]
DIRECTIONS: dict[int, str] = {1: "high", -1: "low"}


class BandPoint(BaseModel):
    """Forecast of the target at one lead, in its unit."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    lead_seconds: int = Field(ge=1, description="after the end of the origin step")
    p10: float
    p50: float
    p90: float


class AlertEvent(Event):
    """What every event of an alert says. ``alert`` is the same from its raising to its end."""

    alert: str = Field(min_length=1, max_length=900, description="id; see `alert_id`")
    sequence: int = Field(ge=0, description="0 at the raising, one more at each event of the same alert")
    fleet: Name
    server: Name
    target: str
    limit: float
    harm: Literal[1, -1] = 1
    step_seconds: int = Field(ge=10, le=3600)
    origin: Step = Field(description="last closed step that this event knows")
    since: Step = Field(description="origin from which the alert was raised")
    reason: str = Field(default="", description="for a person, in a sentence")

    def key(self) -> str:
        """The server."""
        return self.server

    def id(self) -> str:
        """Alert and sequence number."""
        return f"{self.alert}/{self.sequence}"

    def time(self) -> datetime:
        """The end of the origin step."""
        return step_time(self.origin + 1, self.step_seconds)


class StandingAlert(AlertEvent):
    """What is told while an alert stands."""

    profile: str = "generic"
    phase: Phase = Field(description="expected: the limit was not crossed yet; breached: it is, or was a moment ago")
    within: str = Field(default="", description="span of the promise: 15m, 1h, 4h or 8h after the origin")
    probability: dict[str, float] = Field(description="that the limit is crossed within 15m, 1h, 4h, 8h, 0 … 1")
    time_to_threshold: TimeToThreshold = TimeToThreshold()
    band: list[BandPoint] = Field(default_factory=list, description="forecast at a few leads, rising")
    observed: float | None = Field(default=None, description="value at the origin, in the target's unit")
    crossed: Step | None = Field(default=None, description="step in which the limit was crossed; null = not yet")
    risk: float = Field(ge=0, le=100, description="of this limit alone")
    level: Level = Field(description="of the risk, and never healthy while an alert stands")


class BreachExpected(StandingAlert):
    """An alert was raised: a limit will probably be crossed, or is crossed and nobody was told before."""

    type: ClassVar[str] = "io.argus.breach.expected.v1"


class BreachUpdated(StandingAlert):
    """A standing alert has changed: its limit was crossed, its promise or level moved, or an hour passed."""

    type: ClassVar[str] = "io.argus.breach.updated.v1"


class BreachEnded(AlertEvent):
    """An alert has ended, with its outcome; the ledger of outcomes is the sum of these.

    hit: the limit was crossed while the alert stood. late: it was crossed before anybody was told. false: the promised
    span passed, or the probability fell, without a crossing. mitigated: someone acted before a crossing. unknown: data
    stopped before it could be seen.
    """

    type: ClassVar[str] = "io.argus.breach.ended.v1"

    outcome: OutcomeName
    lead_time_seconds: int | None = Field(default=None, ge=0, description="from raising to crossing; null = no hit")
    peak_probability: float = Field(ge=0, le=1, description="highest probability within the promised span")
    crossed: Step | None = Field(default=None, description="step in which the limit was crossed; null = it was not")


def alert_id(fleet: str, server: str, target: str, harm: int, step_seconds: int, since: int) -> str:
    """The id of an alert: the same for the same raising, however often it is told.

    >>> alert_id("eu", "db1", "disk_usage_pct", 1, 300, 5_785_632)
    'eu/db1/disk_usage_pct/high/300/5785632'
    """
    return f"{fleet}/{server}/{target}/{DIRECTIONS[harm]}/{step_seconds}/{since}"
