"""What happens to the versions of a model: which one serves, since when, and why."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import Field

from argus_common.events.base import Event
from argus_common.events.gate import GateResult

MODEL_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
"""What names and versions of models look like; nothing that fits can lead out of a folder."""

ModelName = Annotated[str, Field(pattern=MODEL_NAME)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelPromoted(Event):
    """From now on this version of the model serves."""

    type: ClassVar[str] = "io.argus.model.promoted.v1"

    model: ModelName
    version: ModelName
    family: str = Field(description="of the network")
    manifest_sha256: Sha256 = Field(description="of manifest.json, which holds the sha256 of the weights")
    uri: str = Field(default="", description="where it was promoted from, for people: readers look in their own store")
    previous_version: ModelName | None = Field(default=None, description="what served before, by this topic")
    reason: str = ""
    by: str = Field(default="", description="who or what promoted it")
    scores: dict[str, float] = Field(
        default_factory=dict,
        description="target → WQL on the validation part, over that of the statistical forecaster; below 1 is better",
    )
    gate: GateResult | None = Field(default=None, description="what was measured before; null = promoted by hand")
    promoted_ms: int = Field(ge=0, description="when, epoch milliseconds")

    def key(self) -> str:
        """The model: its newest event says what serves, and is kept for ever."""
        return self.model

    def id(self) -> str:
        """Model, version and moment."""
        return f"{self.model}/{self.version}/promoted/{self.promoted_ms}"

    def time(self) -> datetime:
        """When it was promoted."""
        return datetime.fromtimestamp(self.promoted_ms / 1000, UTC)


class ModelRolledBack(Event):
    """The version that served is withdrawn, and the one before it serves again."""

    type: ClassVar[str] = "io.argus.model.rolled_back.v1"

    model: ModelName
    version: ModelName | None = Field(description="what serves again; null = what inference's settings name")
    manifest_sha256: Sha256 | None = Field(default=None, description="of that version's manifest.json")
    uri: str = Field(default="", description="where it lies, for people: readers look in their own store")
    withdrawn_version: ModelName
    reason: str = ""
    by: str = Field(default="", description="who or what rolled it back")
    rolled_back_ms: int = Field(ge=0, description="when, epoch milliseconds")

    def key(self) -> str:
        """The model: its newest event says what serves, and is kept for ever."""
        return self.model

    def id(self) -> str:
        """Model, withdrawn version and moment."""
        return f"{self.model}/{self.withdrawn_version}/rolled_back/{self.rolled_back_ms}"

    def time(self) -> datetime:
        """When it was rolled back."""
        return datetime.fromtimestamp(self.rolled_back_ms / 1000, UTC)
