"""The mapping file: other people's metric names and units, names to ignore, profiles by server name."""

import fnmatch
import re
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from argus_common.errors import ConfigurationError
from argus_common.events.base import Name
from argus_common.metrics import Catalogue


class Source(BaseModel):
    """Where an incoming metric goes: ``catalogue value = incoming value × scale + offset``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    scale: float = Field(default=1.0, allow_inf_nan=False)
    offset: float = Field(default=0.0, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _plain_name(cls, value: object) -> object:
        return {"metric": value} if isinstance(value, str) else value


class Mapping(BaseModel):
    """A mapping file. Names that are neither mapped, nor canonical, nor ignored are unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: dict[str, Source] = Field(default_factory=dict)
    ignore: tuple[str, ...] = Field(default=(), description="shell patterns of metric names to leave out quietly")
    profiles: dict[str, Name] = Field(
        default_factory=dict, description="regular expression on the server name → profile"
    )

    @model_validator(mode="after")
    def _rules_compile(self) -> Self:
        for pattern in self.profiles:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"profiles: {pattern!r} is no regular expression: {error}") from error
        return self

    def source(self, name: str) -> Source:
        """Where the incoming metric ``name`` goes; an unmapped name goes to itself."""
        return self.names.get(name) or Source(metric=name)

    def ignores(self, name: str) -> bool:
        """Whether the incoming metric is left out on purpose."""
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.ignore)

    def profile_rules(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """Compiled rules, first match wins."""
        return tuple((re.compile(pattern), profile) for pattern, profile in self.profiles.items())


def load_mapping(path: Path | None, catalogue: Catalogue) -> Mapping:
    """The mapping in this YAML file, or the empty one.

    Raises:
        ConfigurationError: the file can't be read, has an unknown key, or maps to a metric the catalogue lacks.
    """
    if path is None:
        return Mapping()
    try:
        mapping = Mapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(f"mapping file {path}: {error}") from error
    received = {metric.name for metric in catalogue.received()}
    for name, source in mapping.names.items():
        if source.metric not in received:
            raise ConfigurationError(
                f"mapping file {path}: {name!r} is mapped to {source.metric!r}, which producers can't send; "
                f"expected one of {', '.join(sorted(received))}"
            )
    return mapping
