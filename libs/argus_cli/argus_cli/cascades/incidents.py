"""The incidents of a recorded trace: which part of it each one concerns."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from argus_cascade.domain.origin import Departures, incident_departures
from argus_cascade.domain.tick import Floats
from argus_cascade.domain.topology import Topology
from argus_cli.trace_frame import IDENTITY
from argus_common.errors import ConfigurationError
from argus_common.metrics import Catalogue

HISTORY_STEPS = 2016
"""Steps before an incident that it is compared with: a week of five minutes."""
DAY_SECONDS = 86_400
DEFAULT_FLEET = "default"
"""Of rows without one."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A row of AT; times in epoch milliseconds, ``until`` included. ``id`` is told again as it was given."""

    id: object
    fleet: str
    begin: int
    until: int
    symptom: str | None


def read_incidents(file: Path) -> list[Incident]:
    """The rows of AT in their order.

    Raises:
        ConfigurationError: it can't be read, lacks a column, or an incident ends before it begins.
    """
    rows = _read(file, ("id", "timestamp", "until"))
    times = [
        pl.col(name).cast(pl.Datetime("ms")).dt.timestamp("ms").alias(f"{name}_ms") for name in ("timestamp", "until")
    ]
    try:
        found = [_incident(row) for row in rows.with_columns(times).iter_rows(named=True)]
    except pl.exceptions.PolarsError as error:
        raise ConfigurationError(f"{file}: timestamp and until must be times: {str(error).splitlines()[0]}") from error
    for incident in found:
        if incident.until < incident.begin:
            raise ConfigurationError(f"{file}: incident {incident.id} has until before timestamp")
    return found


def read_edges(file: Path) -> dict[str | None, Topology]:
    """The topology of each fleet; under None that of all fleets where EDGES names none.

    Raises:
        ConfigurationError: it can't be read or lacks a column.
    """
    rows = _read(file, ("source", "target"))
    if "fleet" not in rows.columns:
        return {None: Topology.of(rows.select("source", "target").iter_rows())}
    parts = rows.partition_by("fleet", as_dict=True)
    return {str(fleet): Topology.of(part.select("source", "target").iter_rows()) for (fleet,), part in parts.items()}


def by_fleet(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The rows of each fleet of a trace."""
    if "fleet" not in rows.columns:
        return {DEFAULT_FLEET: rows}
    parts = rows.with_columns(pl.col("fleet").fill_null(DEFAULT_FLEET)).partition_by("fleet", as_dict=True)
    return {str(fleet): part for (fleet,), part in parts.items()}


def departures_of(incident: Incident, rows: pl.DataFrame, step_seconds: int, catalogue: Catalogue) -> Departures:
    """What the trace of its fleet shows of an incident. Nothing after ``until`` is looked at.

    Raises:
        ConfigurationError: nothing is known of the fleet in the incident, or nothing before it.
    """
    width = 1000 * step_seconds
    first = incident.begin - HISTORY_STEPS * width
    # steps are counted from the incident, so that none lies across its beginning
    known = rows.filter(pl.col("timestamp").is_between(first, incident.until)).with_columns(
        step=(pl.col("timestamp") - incident.begin).floordiv(width)
    )
    before, during = (known["step"] < 0).any(), (known["step"] >= 0).any()
    if not before or not during:
        missing = "before" if during else "during"
        raise ConfigurationError(
            f"incident {incident.id}: the trace has nothing of fleet {incident.fleet} {missing} it"
        )
    servers, metrics, values = _cube(known)
    begin, day = -int(known["step"].min()), max(1, DAY_SECONDS // step_seconds)  # type: ignore[arg-type]
    return incident_departures(servers, metrics, values, begin, day, catalogue)


def _incident(row: dict[str, object]) -> Incident:
    symptom = row.get("symptom")
    return Incident(
        row["id"],
        str(row.get("fleet") or DEFAULT_FLEET),
        int(str(row["timestamp_ms"])),
        int(str(row["until_ms"])),
        None if symptom is None else str(symptom),
    )


def _read(file: Path, needed: tuple[str, ...]) -> pl.DataFrame:
    try:
        rows = pl.read_parquet(file)
    except pl.exceptions.PolarsError as error:
        raise ConfigurationError(f"{file}: {str(error).splitlines()[0]}") from error
    missing = [name for name in needed if name not in rows.columns]
    if missing:
        raise ConfigurationError(f"{file}: no column {', '.join(missing)}; it has {', '.join(rows.columns)}")
    nulls = [name for name in needed if rows[name].null_count()]
    if nulls:
        raise ConfigurationError(f"{file}: rows without {', '.join(nulls)}")
    return rows


def _cube(rows: pl.DataFrame) -> tuple[list[str], list[str], Floats]:
    """Servers, metrics and (step, server, metric) means of each step, from the first to the last; NaN = missing."""
    metrics = [
        name
        for name, kind in rows.schema.items()
        if kind.is_numeric() and name not in (*IDENTITY, "step") and rows[name].null_count() < rows.height
    ]
    means = rows.group_by("step", "server").agg(pl.col(metrics).cast(pl.Float64).mean())
    servers = sorted(means["server"].unique().to_list())
    column = means["server"].replace_strict({name: i for i, name in enumerate(servers)}, return_dtype=pl.Int64)
    step = means["step"].to_numpy()
    values = np.full((int(step.max() - step.min()) + 1, len(servers), len(metrics)), np.nan)
    values[step - step.min(), column.to_numpy()] = means.select(metrics).to_numpy()
    return servers, metrics, values
