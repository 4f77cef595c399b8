"""The life of a cascade: servers turn abnormal together; what changed; that it is over. Each event tells all of it."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from argus_common.events.base import Event, Name, Step, step_time
from argus_common.levels import Level

CascadeKind = Literal["propagating", "common_cause"]
FollowerState = Literal["expected", "confirmed", "withdrawn"]
CascadeOutcome = Literal["recovered", "merged", "lost"]


WORTH_NAMING = 0.2
"""An origin that is less likely is not told in words: it would mislead."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class CascadeMember(_Part):
    """A server that belongs, or belonged, to the cascade."""

    server: Name
    profile: str = "generic"
    onset: Step = Field(description="step in which its trouble began")
    joined: Step = Field(description="step whose forecasts drew it in")
    target: str = Field(description="the metric that is the furthest out")
    strength: float = Field(ge=0, description="how far that metric is beyond its band, in sigmas, accumulated")
    observed: float | None = Field(default=None, description="its value now, in the metric's unit; null = not seen")
    silent: bool = Field(default=False, description="it has stopped reporting")
    recovered: bool = Field(default=False, description="it is well again")


class CascadeOrigin(_Part):
    """A server where the cascade may have begun."""

    server: Name
    probability: float = Field(ge=0, le=1)
    reasons: list[str] = Field(default_factory=list, description="for a person, the weightiest first")


class OnsetIn(_Part):
    """Seconds from the end of this event's step until a server is drawn in."""

    p10: float = Field(ge=0)
    p50: float = Field(ge=0)
    p90: float = Field(ge=0)


class CascadeFollower(_Part):
    """A server that was foretold to be drawn in."""

    server: Name
    probability: float = Field(ge=0, le=1)
    onset_in: OnsetIn
    state: FollowerState = Field(
        default="expected", description="confirmed: it was drawn in; withdrawn: it was not, or will not be"
    )
    reason: str = Field(default="", description="whom it follows and how that is known, for a person")


class CascadeEvent(Event):
    """What every event of a cascade says. ``cascade`` is the same from its opening to its end."""

    cascade: str = Field(min_length=1, max_length=900, description="id, of this cascade alone")
    fingerprint: str = Field(pattern=r"^[0-9a-f]{16}$", description="the same for the whole life; for deduplication")
    sequence: int = Field(ge=0, description="0 at the opening, one more at each event of the same cascade")
    fleet: Name
    step_seconds: int = Field(ge=10, le=3600)
    step: Step = Field(description="last closed step that this event knows")
    opened: Step = Field(description="step at whose end the cascade was opened")
    kind: CascadeKind = Field(description="propagating: one after the other; common_cause: everything at once")
    severity: Level = Field(description="of the score, and never healthy while the cascade is open")
    score: float = Field(ge=0, le=100, description="severity as a number")
    members: list[CascadeMember] = Field(description="all that ever belonged to it, in the order of their onsets")
    origins: list[CascadeOrigin] = Field(default_factory=list, description="where it may have begun, likeliest first")
    followers: list[CascadeFollower] = Field(default_factory=list, description="who was foretold to be drawn in")
    peak_members: int = Field(ge=0, description="most members that were unwell at one time")
    silenced: bool = Field(default=False, description="somebody works on its members: told for the record only")
    message: str = Field(default="", description="what happened, for a person")
    look_first: str = Field(default="", description="what a person should look at first")

    def likely_origins(self) -> list[CascadeOrigin]:
        """Those worth naming to a person; none where everything fell ill at once, since no server began that."""
        if self.kind == "common_cause":
            return []
        return [one for one in self.origins if one.probability >= WORTH_NAMING]

    def key(self) -> str:
        """The fleet."""
        return self.fleet

    def id(self) -> str:
        """Cascade and sequence number."""
        return f"{self.cascade}/{self.sequence}"

    def time(self) -> datetime:
        """The end of the step."""
        return step_time(self.step + 1, self.step_seconds)


class CascadeOpened(CascadeEvent):
    """More servers turned abnormal together than chance explains."""

    type: ClassVar[str] = "io.argus.cascade.opened.v1"


class CascadeUpdated(CascadeEvent):
    """A server joined or recovered, or the likely origin, the followers or the severity changed."""

    type: ClassVar[str] = "io.argus.cascade.updated.v1"


class CascadeResolved(CascadeEvent):
    """A cascade is over.

    recovered: its members are well again. merged: it went up in ``merged_into``. lost: its members are not heard of.
    """

    type: ClassVar[str] = "io.argus.cascade.resolved.v1"

    outcome: CascadeOutcome
    duration_seconds: int = Field(ge=0, description="from the first onset to the end")
    merged_into: str | None = Field(default=None, description="id of the cascade that it went up in; null = none")
    followers_confirmed: int = Field(default=0, ge=0, description="foretold servers that were drawn in")
    followers_withdrawn: int = Field(default=0, ge=0, description="foretold servers that were not")
