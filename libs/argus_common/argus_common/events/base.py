"""What every event has: a type, a key, a deterministic id and an event time."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(min_length=1, max_length=253)]
"""Server, fleet and profile names; 253 is the longest DNS name."""

LAST_STEP = 2**32 - 2
"""Rings keep ``step + 1`` as uint32."""

Step = Annotated[int, Field(ge=0, le=LAST_STEP)]
"""Number of a step: floor(epoch seconds / step_seconds)."""


class Event(BaseModel, ABC):
    """A frozen fact. Readers ignore fields they do not know; floats are finite."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    type: ClassVar[str]
    """CloudEvents type, reverse-DNS with the version at the end."""

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        try:
            self.time()
        except (OverflowError, OSError, ValueError):
            raise ValueError("its time lies beyond the year 9999") from None
        return self

    @abstractmethod
    def key(self) -> str:
        """The Kafka key: what must stay in order."""

    @abstractmethod
    def id(self) -> str:
        """The same for the same fact, however often it is told."""

    @abstractmethod
    def time(self) -> datetime:
        """Event time, UTC."""


def step_time(step: int, step_seconds: int) -> datetime:
    """When the step with this number begins.

    >>> step_time(5_785_632, 300).isoformat()
    '2025-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(step * step_seconds, UTC)
