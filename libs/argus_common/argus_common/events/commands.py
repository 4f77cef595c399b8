"""Requests to services, on the commands topic."""

from datetime import UTC, datetime
from typing import ClassVar, Literal

from pydantic import Field

from argus_common.events.base import Event


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
