"""WindowClosed: the aggregate of one server over one step."""

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from argus_common.events.base import Event, Name, Step, step_time


class WindowClosed(Event):
    """One server's step is complete. A metric that had no sample in the step is absent."""

    type: ClassVar[str] = "io.argus.window.closed.v1"

    fleet: Name
    server: Name
    profile: str = "generic"
    step: Step = Field(description="number of the step: floor(epoch seconds / step_seconds)")
    step_seconds: int = Field(ge=10, le=3600)
    samples: int = Field(ge=1, description="distinct event times that went into the window")
    metrics: dict[str, float] = Field(description="aggregated value of each metric, in its catalogue unit")

    def key(self) -> str:
        """The server."""
        return self.server

    def id(self) -> str:
        """Fleet, server, step length and step number."""
        return window_id(self.fleet, self.server, self.step_seconds, self.step)

    def time(self) -> datetime:
        """The end of the step."""
        return step_time(self.step + 1, self.step_seconds)


def window_id(fleet: str, server: str, step_seconds: int, step: int) -> str:
    """The id of a window without building it."""
    return f"{fleet}/{server}/{step_seconds}/{step}"
