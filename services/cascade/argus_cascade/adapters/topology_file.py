"""Reads who depends on whom from a YAML or Parquet file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from argus_cascade.domain.topology import Topology
from argus_common.errors import ConfigurationError

Name = Annotated[str, Field(min_length=1, max_length=253)]


class Edge(BaseModel):
    """``source`` depends on ``target``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Name
    target: Name


class _Document(BaseModel):
    """``edges`` between servers; ``profiles``: between profiles, where each server of the one may depend on any of the
    other.
    """

    model_config = ConfigDict(extra="forbid")

    edges: list[Edge] = []
    profiles: list[Edge] = []


_EDGES = TypeAdapter(Annotated[list[Edge], Field(min_length=1)])


def load_topology(file: Path | None) -> Topology:
    """The topology in ``file``; an empty one without a file.

    YAML: ``edges``, a list of ``{source: web1, target: db1}``, and ``profiles``, one of ``{source: web_api, target:
    database}``; one of them at least. Parquet: columns ``source`` and ``target``, text, of servers.

    Raises:
        ConfigurationError: the file can't be read or says something impossible; the text says what and where.
    """
    if file is None:
        return Topology.of(())
    document = _Document(edges=_parquet(file)) if file.suffix == ".parquet" else _yaml(file)
    for edge in document.edges:
        if edge.source == edge.target:
            raise ConfigurationError(f"topology {file}: {edge.source!r} can't depend on itself")
    return Topology.of(
        ((edge.source, edge.target) for edge in document.edges), ((one.source, one.target) for one in document.profiles)
    )


def _yaml(file: Path) -> _Document:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"topology {file}: {error}") from error
    try:
        found = _Document.model_validate(document)
    except ValidationError as error:
        raise ConfigurationError(f"topology {file}: {_told(error)}") from error
    if not found.edges and not found.profiles:
        raise ConfigurationError(f"topology {file}: expected edges or profiles, with at least 1 item")
    return found


def _parquet(file: Path) -> list[Edge]:
    try:
        import polars as pl  # noqa: PLC0415 - half the image and a fifth of the start, and only this form needs it
        from polars.exceptions import PolarsError  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"topology {file}: Parquet needs polars, which is not installed here; write it as YAML, or install "
            "argus-cascade[parquet]"
        ) from error
    try:
        rows = pl.read_parquet(file, columns=["source", "target"]).to_dicts()
    except (OSError, PolarsError) as error:
        raise ConfigurationError(f"topology {file}: expected columns source and target: {error}") from error
    try:
        return _EDGES.validate_python(rows)
    except ValidationError as error:
        raise ConfigurationError(f"topology {file}: {_told(error)}") from error


def _told(error: ValidationError) -> str:
    problems: Iterable[str] = (
        f"{'.'.join(map(str, one['loc'])) or 'the document'}: {one['msg']}"
        for one in error.errors(include_url=False, include_context=False)
    )
    first = list(problems)
    more = f" (and {len(first) - 3} more)" if len(first) > 3 else ""
    return "; ".join(first[:3]) + more
