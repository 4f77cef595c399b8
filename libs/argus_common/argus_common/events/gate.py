"""What was measured of a challenger before it may serve: every number that decided, and its bound."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class GateRatio(_Part):
    """Pinball loss of the challenger over another's, on the very same windows; below 1 is better."""

    against: str = Field(description="champion or statistical")
    about: Literal["all", "target", "profile", "unknown"] = "unknown"
    name: str = Field(default="", description="of the target or profile")
    ratio: float = Field(ge=0)
    low: float = Field(ge=0, description="90 % interval, servers and days drawn again")
    high: float = Field(ge=0)
    windows: int = Field(ge=0)


class GateCheck(_Part):
    """One condition. ``figure`` and ``bound`` are null where nothing could be measured."""

    name: str
    passed: bool
    figure: float | None = None
    bound: float | None = None
    detail: str = Field(default="", description="for a person")


class GateResult(_Part):
    """Whether a challenger may serve, and why."""

    passed: bool
    held_out_from_ms: int = Field(ge=0, description="first origin, epoch milliseconds; nothing after it was learned")
    held_out_until_ms: int = Field(ge=0)
    windows: int = Field(ge=0)
    servers: int = Field(ge=0)
    checks: list[GateCheck]
    ratios: list[GateRatio] = Field(default_factory=list)
    coverage: dict[str, float] = Field(default_factory=dict, description="forecaster → of its 10–90 % band")
    brier: dict[str, float] = Field(default_factory=dict, description="forecaster → Brier score of breaches, all spans")
    breaches: int = Field(default=0, ge=0, description="windows in which a limit was crossed")

    def failed(self) -> list[str]:
        """Names of the checks that were not passed."""
        return [check.name for check in self.checks if not check.passed]
