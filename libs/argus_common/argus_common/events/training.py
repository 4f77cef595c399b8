"""What the retrainer does and does not do: trainings begun, ended without a promotion, and refused.

They lie on the topic that says which version serves, under keys of their own: NAME/VERSION, NAME/refused/CAUSE. The
newest event of the key NAME alone decides what serves.
"""

from datetime import UTC, datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from argus_common.events.base import Event
from argus_common.events.gate import GateResult
from argus_common.events.model import ModelName, Sha256

CauseKind = Literal["drift", "command", "age", "unknown"]
RefusedReason = Literal[
    "running",
    "cool_down",
    "weekly_limit",
    "cascade_open",
    "risk_high",
    "too_little_data",
    "expired",
    "no_help",
    "single_servers",
    "unknown",
]
FailedReason = Literal["cancelled", "time_limit", "data", "crashed", "unknown"]


class TrainingCause(BaseModel):
    """Why a model is trained anew."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: CauseKind
    id: str = Field(min_length=1, max_length=900, description="of the event that asks; the same cause has the same id")
    fleet: str = Field(default="", description="that it speaks of; empty = all")
    asked_ms: int = Field(ge=0, description="when, epoch milliseconds")
    reason: str = Field(default="", max_length=1000, description="for a person")


class TrainingStarted(Event):
    """A new version is being trained."""

    type: ClassVar[str] = "io.argus.training.started.v1"

    model: ModelName
    version: ModelName = Field(description="that it will have")
    causes: list[TrainingCause] = Field(min_length=1, description="all that one training answers")
    champion: ModelName | None = Field(default=None, description="version that serves; null = the statistical one")
    started_ms: int = Field(ge=0, description="when, epoch milliseconds")

    def key(self) -> str:
        """Model and version: it decides nothing about what serves."""
        return f"{self.model}/{self.version}"

    def id(self) -> str:
        """Model and version: a version is trained once."""
        return f"{self.model}/{self.version}/started"

    def time(self) -> datetime:
        """When it began."""
        return datetime.fromtimestamp(self.started_ms / 1000, UTC)


class TrainingFailed(Event):
    """A training ended without a version."""

    type: ClassVar[str] = "io.argus.training.failed.v1"

    model: ModelName
    version: ModelName
    reason: FailedReason
    detail: str = Field(default="", max_length=4000, description="for a person")
    failed_ms: int = Field(ge=0, description="when, epoch milliseconds")

    def key(self) -> str:
        """Model and version."""
        return f"{self.model}/{self.version}"

    def id(self) -> str:
        """Model and version: a training fails once."""
        return f"{self.model}/{self.version}/failed"

    def time(self) -> datetime:
        """When it failed."""
        return datetime.fromtimestamp(self.failed_ms / 1000, UTC)


class ModelRejected(Event):
    """A version was trained, compared, and may not serve."""

    type: ClassVar[str] = "io.argus.model.rejected.v1"

    model: ModelName
    version: ModelName
    family: str = Field(description="of the network")
    manifest_sha256: Sha256 = Field(description="of manifest.json, which holds the sha256 of the weights")
    gate: GateResult
    rejected_ms: int = Field(ge=0, description="when, epoch milliseconds")

    def key(self) -> str:
        """Model and version."""
        return f"{self.model}/{self.version}"

    def id(self) -> str:
        """Model and version: it is rejected once."""
        return f"{self.model}/{self.version}/rejected"

    def time(self) -> datetime:
        """When it was rejected."""
        return datetime.fromtimestamp(self.rejected_ms / 1000, UTC)


class RetrainRefused(Event):
    """There is a cause to train, but not now. It is looked at again by itself, unless it is too old."""

    type: ClassVar[str] = "io.argus.retrain.refused.v1"

    model: ModelName
    cause: TrainingCause
    reason: RefusedReason
    detail: str = Field(default="", max_length=1000, description="for a person")
    refused_ms: int = Field(ge=0, description="when first for this reason, epoch milliseconds")

    def key(self) -> str:
        """Model and cause."""
        return f"{self.model}/refused/{self.cause.id}"

    def id(self) -> str:
        """Model, cause and reason: it is told once."""
        return f"{self.model}/refused/{self.cause.id}/{self.reason}"

    def time(self) -> datetime:
        """When it was refused."""
        return datetime.fromtimestamp(self.refused_ms / 1000, UTC)
