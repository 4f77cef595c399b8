"""One metric: its unit, legal range, aggregation within a step, direction of harm and default limit."""

import math
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Aggregation(StrEnum):
    """How the samples of one step become one value."""

    MEAN = "mean"
    MAX = "max"
    LAST = "last"
    RATE = "rate"
    """A counter: its increase per second, resets counted as restarts from zero."""


class Derivation(BaseModel):
    """A metric computed from others after aggregation: ``offset + Σ weight × metric``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    terms: dict[str, float] = Field(min_length=1)
    offset: float = 0.0


class Metric(BaseModel):
    """A row of the metric catalogue. Ranges are closed; ``inf`` means unbounded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    unit: str = ""
    description: str = ""
    lower: float = -math.inf
    upper: float = math.inf
    aggregation: Aggregation = Aggregation.MEAN
    harm: int = Field(default=0, ge=-1, le=1, description="+1 high hurts, -1 low hurts, 0 both or unknown")
    limit: float | None = Field(default=None, description="the value at which it hurts, in its unit")
    severity: float = Field(default=1.0, gt=0, le=1, description="weight of a breach in the risk score")
    target: bool = Field(default=False, description="forecast this metric")
    derived: Derivation | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Metric":
        if not self.lower < self.upper:  # NaN is below nothing
            raise ValueError(f"metric {self.name}: lower {self.lower} must be below upper {self.upper}")
        if self.limit is not None and not self.lower <= self.limit <= self.upper:
            raise ValueError(f"metric {self.name}: limit {self.limit} lies outside its legal range")
        if self.limit is not None and self.harm == 0:
            raise ValueError(f"metric {self.name}: a limit needs a direction of harm (+1 or -1)")
        return self


def plain_gauge(name: str) -> Metric:
    """What an unknown metric is taken for: an unbounded gauge without a limit, harmful in both directions."""
    return Metric.model_construct(name=name, target=True)
