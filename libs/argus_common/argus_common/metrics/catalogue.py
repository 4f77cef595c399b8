"""The catalogue as a whole: order, look-up, limits by profile and server, and loading from YAML."""

import hashlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

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
    def _references_exist(self) -> "Catalogue":
        for metric in self.metrics.values():
            unknown = set(metric.derived.terms if metric.derived else ()) - set(self.metrics)
            if unknown:
                raise ValueError(f"metric {metric.name} is derived from unknown metrics: {sorted(unknown)}")
        return self

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
        document = _merged(document, _read(extension))
    try:
        named = {name: {"name": name} | fields for name, fields in document["metrics"].items()}
        return Catalogue.model_validate({"metrics": named, "limits": document["limits"]})
    except (ValidationError, TypeError) as error:
        raise ConfigurationError(f"metric catalogue {extension or 'canonical.yaml'}: {error}") from error


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"metric catalogue {path}: {error}") from error
    if not isinstance(document, dict) or not set(document) <= {"metrics", "limits"}:
        raise ConfigurationError(f"metric catalogue {path}: expected a mapping with 'metrics' and/or 'limits'")
    return document


def _merged(base: Mapping[str, Any], extension: Mapping[str, Any]) -> dict[str, Any]:
    metrics = dict(base["metrics"])
    for name, fields in (extension.get("metrics") or {}).items():
        metrics[name] = {**metrics.get(name, {}), **fields}
    limits = extension.get("limits") or {}
    return {
        "metrics": metrics,
        "limits": {kind: {**base["limits"][kind], **(limits.get(kind) or {})} for kind in ("profiles", "servers")},
    }
