"""The catalogue as a whole: order, look-up, limits by profile and server, and loading from YAML."""

import hashlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from argus_common.errors import ConfigurationError
from argus_common.metrics.metric import Metric, plain_gauge


class LimitOverrides(BaseModel):
    """Limits that differ from the catalogue's default, by profile and by server (the server's wins)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profiles: dict[str, dict[str, float]] = Field(default_factory=dict)
    servers: dict[str, dict[str, float]] = Field(default_factory=dict)


class Catalogue(BaseModel):
    """Every metric that Argus knows, in a fixed order; the order is the column order of rings and windows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics: dict[str, Metric]
    limits: LimitOverrides = LimitOverrides()

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        received = {metric.name for metric in self.received()}
        for metric in self.derived():
            unknown = set(metric.derived.terms if metric.derived else ()) - received
            if unknown:
                raise ValueError(f"metric {metric.name} is derived from {sorted(unknown)}, which no producer sends")
        return self

    @model_validator(mode="after")
    def _limits_are_possible(self) -> Self:
        for kind, owners in (("profile", self.limits.profiles), ("server", self.limits.servers)):
            for owner, limits in owners.items():
                for name, limit in limits.items():
                    self._check_limit(f"{kind} {owner}", name, limit)
        return self

    def _check_limit(self, owner: str, name: str, limit: float) -> None:
        metric = self.metrics.get(name)
        if metric is None:
            raise ValueError(f"limit of {owner}: unknown metric {name}")
        if metric.harm == 0:
            raise ValueError(f"limit of {owner}: metric {name} needs a direction of harm (+1 or -1)")
        if not metric.lower <= limit <= metric.upper:
            raise ValueError(f"limit of {owner}: {limit} lies outside the legal range of {name}")

    def __contains__(self, name: object) -> bool:
        return name in self.metrics

    def names(self) -> tuple[str, ...]:
        """All metric names, in column order."""
        return tuple(self.metrics)

    def received(self) -> tuple[Metric, ...]:
        """The metrics that producers send, in column order."""
        return tuple(m for m in self.metrics.values() if m.derived is None)

    def derived(self) -> Iterator[Metric]:
        """The metrics that are computed from others, in column order."""
        return (m for m in self.metrics.values() if m.derived is not None)

    def targets(self) -> tuple[Metric, ...]:
        """The metrics that are forecast, in column order."""
        return tuple(m for m in self.metrics.values() if m.target)

    def get(self, name: str) -> Metric:
        """The metric of that name; an unknown name is a plain gauge."""
        return self.metrics.get(name) or plain_gauge(name)

    def limit(self, metric: str, *, profile: str = "", server: str = "") -> float | None:
        """Where ``metric`` hurts on this server: the server's own limit, else its profile's, else the default."""
        for overrides in (self.limits.servers.get(server, {}), self.limits.profiles.get(profile, {})):
            if metric in overrides:
                return overrides[metric]
        return self.get(metric).limit

    def fingerprint(self) -> str:
        """Eight hex digits that change when the columns change; rings of another layout are never mixed."""
        return hashlib.sha256("\n".join(self.metrics).encode()).hexdigest()[:8]


def load_catalogue(extension: Path | None = None) -> Catalogue:
    """The canonical catalogue, extended or overridden by the YAML file ``extension``.

    Raises:
        ConfigurationError: the file can't be read, isn't YAML, or states something impossible.
    """
    document = yaml.safe_load(files(__package__).joinpath("canonical.yaml").read_text())
    if extension is not None:
        extra = _read(extension)
        document = {part: _merged(document[part], extra.get(part), depth) for part, depth in _LEVELS.items()}
    named = {name: {**fields, "name": name} for name, fields in document["metrics"].items()}
    try:
        return Catalogue.model_validate({"metrics": named, "limits": document["limits"]})
    except ValidationError as error:
        problems = error.errors(include_input=False, include_context=False, include_url=False)
        told = "; ".join(_told(problem["loc"], problem["msg"]) for problem in problems)
        raise ConfigurationError(f"metric catalogue {extension or 'canonical.yaml'}: {told}") from error


def _told(place: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{'.'.join(map(str, place))}: {text}" if place else text


_LEVELS = {"metrics": 2, "limits": 3}
"""How deep the mappings of each section are nested: metric → field; kind → owner → metric."""


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"metric catalogue {path}: {error}") from error
    if not isinstance(document, dict) or not set(document) <= set(_LEVELS):
        raise ConfigurationError(f"metric catalogue {path}: expected a mapping with 'metrics' and/or 'limits'")
    for section, depth in _LEVELS.items():
        _check_shape(path, section, document.get(section), depth)
    return document


def _check_shape(path: Path, place: str, found: object, depth: int) -> None:
    if depth == 0 or found is None:
        return
    if not isinstance(found, dict):
        raise ConfigurationError(f"metric catalogue {path}: {place}: expected a mapping, found {found!r:.60}")
    for name, inner in found.items():
        _check_shape(path, f"{place}.{name}", inner, depth - 1)


def _merged(base: Mapping[str, Any] | None, extension: Mapping[str, Any] | None, depth: int) -> dict[str, Any]:
    """``extension`` over ``base``: naming one field or one limit keeps the others; nothing (None) changes nothing."""
    merged = dict(base or {})
    for name, value in (extension or {}).items():
        merged[name] = _merged(merged.get(name), value, depth - 1) if depth > 1 else value
    return merged
