"""Requests to services, on the commands topic."""

from datetime import UTC, datetime
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from argus_common.events.base import Event, Name
from argus_common.events.model import ModelName


class ScenarioRequested(Event):
    """The simulator shall play another scenario from its next tick on."""

    type: ClassVar[str] = "io.argus.scenario.requested.v1"

    scenario: Literal["healthy", "degrading", "critical", "cascade"]
    requested_ms: int = Field(ge=0, description="when it was asked for, epoch milliseconds")

    def key(self) -> str:
        """The service that is asked."""
        return "simulator"

    def id(self) -> str:
        """Scenario and moment of the request."""
        return f"simulator/{self.scenario}/{self.requested_ms}"

    def time(self) -> datetime:
        """When it was asked for."""
        return datetime.fromtimestamp(self.requested_ms / 1000, UTC)


class BreachMitigated(Event):
    """Someone acts on what an alert speaks of: it ends as mitigated, and is not raised again before it has calmed."""

    type: ClassVar[str] = "io.argus.breach.mitigated.v1"

    alert: str = Field(min_length=1, max_length=900, description="id of the alert")
    requested_ms: int = Field(ge=0, description="when it was told, epoch milliseconds")
    by: str = Field(default="", max_length=253, description="who acts")
    note: str = Field(default="", max_length=1000, description="what is done")

    def key(self) -> str:
        """The service that is asked."""
        return "inference"

    def id(self) -> str:
        """The alert: acting twice is acting once."""
        return f"inference/mitigated/{self.alert}"

    def time(self) -> datetime:
        """When it was told."""
        return datetime.fromtimestamp(self.requested_ms / 1000, UTC)


class MaintenanceScheduled(Event):
    """Somebody works on a server, or on a whole fleet, for a while: its alerts end as mitigated, none is raised,
    and its cascades are silenced.
    """

    type: ClassVar[str] = "io.argus.maintenance.scheduled.v1"

    fleet: Name = "default"
    server: Name | None = Field(default=None, description="null = all servers of the fleet")
    start_ms: int = Field(ge=0, description="event time, epoch milliseconds")
    end_ms: int = Field(ge=0, description="event time, epoch milliseconds, exclusive")
    note: str = Field(default="", max_length=1000, description="what is done")

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.end_ms <= self.start_ms:
            raise ValueError("a maintenance must end after it starts")
        return self

    def key(self) -> str:
        """The service that is asked."""
        return "inference"

    def id(self) -> str:
        """Whom it concerns, and when."""
        return f"inference/maintenance/{self.fleet}/{self.server or '*'}/{self.start_ms}/{self.end_ms}"

    def time(self) -> datetime:
        """When it starts."""
        return datetime.fromtimestamp(self.start_ms / 1000, UTC)


class RetrainRequested(Event):
    """The retrainer shall train a model anew, under the same conditions as for any other cause."""

    type: ClassVar[str] = "io.argus.retrain.requested.v1"

    model: ModelName
    requested_ms: int = Field(ge=0, description="when it was asked for, epoch milliseconds")
    by: str = Field(default="", max_length=253, description="who asks")
    reason: str = Field(default="", max_length=1000, description="why")

    def key(self) -> str:
        """The service that is asked."""
        return "retrainer"

    def id(self) -> str:
        """Model and moment of the request."""
        return f"retrainer/retrain/{self.model}/{self.requested_ms}"

    def time(self) -> datetime:
        """When it was asked for."""
        return datetime.fromtimestamp(self.requested_ms / 1000, UTC)


class TrainingCancelRequested(Event):
    """The retrainer shall end the training of a model that runs, without a version."""

    type: ClassVar[str] = "io.argus.training.cancel_requested.v1"

    model: ModelName
    requested_ms: int = Field(ge=0, description="when it was asked for; a training that began later goes on")
    by: str = Field(default="", max_length=253, description="who asks")
    reason: str = Field(default="", max_length=1000, description="why")

    def key(self) -> str:
        """The service that is asked."""
        return "retrainer"

    def id(self) -> str:
        """Model and moment of the request."""
        return f"retrainer/cancel/{self.model}/{self.requested_ms}"

    def time(self) -> datetime:
        """When it was asked for."""
        return datetime.fromtimestamp(self.requested_ms / 1000, UTC)
