"""``argus cascades replay``: the cascade detector over a recorded trace."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer
from rich.console import Console
from rich.progress import Progress

from argus_cascade.domain.evidence import Evidence, EvidenceSettings
from argus_cascade.domain.life.change import Changed, Opened
from argus_cascade.domain.residuals import Residuals
from argus_cascade.domain.tick import Floats, Steps
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.verdict import Verdict
from argus_cli.cascades.incidents import read_edges
from argus_cli.cascades.told import changes, write_told
from argus_cli.progress import bars
from argus_cli.trace_frame import IDENTITY, Selection, read_trace, with_derived
from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.grid import infer_step

console = Console(stderr=True)
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class FleetTrace:
    """One fleet of a trace. ``values``: (step, server, metric) float32, NaN = missing; row 0 is step ``first_step``."""

    fleet: str
    servers: tuple[str, ...]
    metrics: tuple[str, ...]
    first_step: int
    step_seconds: int
    values: np.ndarray


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Parquet or CSV, wide or long.")],
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="File for the cascade events, a JSON document a line.")
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Parquet file for the score of every row.")
    ] = None,
    edges: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Parquet of source, target (source depends on target), fleet."),
    ] = None,
    step: Annotated[int | None, typer.Option(min=1, help="Seconds per step; inferred by default.")] = None,
) -> None:
    """Tell of the cascades in a recorded trace, as the service would have told; nothing later is looked at.

    OUT has the events in order, each telling all of its cascade. SCORES has a row per row of FILE: fleet (where FILE
    has it), server, timestamp, score (0 … 1), abnormal.

    Example: argus cascades replay week.parquet --edges edges.parquet --out events.jsonl --scores scores.parquet
    """
    if out is None and scores is None:
        raise ConfigurationError("nothing to write: give --out, --scores or both")
    with console.status(f"Reading {file} ..."):
        rows = with_derived(read_trace(file, Selection()), DEFAULT_CATALOGUE)
    seconds = step or infer_step(rows)
    parts = rows.partition_by("fleet", maintain_order=True) if "fleet" in rows.columns else [rows]
    topologies = read_edges(edges) if edges else {}
    frames: list[pl.DataFrame] = []
    told: list[Changed] = []
    with bars(console) as progress:
        for part in parts:
            trace = fleet_trace(part, seconds)
            said = list(verdicts(trace, progress))
            frames.append(_scored(part, trace, said))
            topology = topologies.get(trace.fleet, topologies.get(None, Topology({})))
            told += changes(said, seconds, topology, profiles_of(part))
    found = pl.concat(frames)
    if scores is not None:
        found.write_parquet(scores)
        console.print(f"Wrote {found.height:,} rows to {scores}.")
    if out is not None:
        write_told(out, told)
        opened = sum(isinstance(change, Opened) for change in told)
        console.print(f"Wrote {len(told):,} events of {opened:,} cascades to {out}.")


def verdicts(trace: FleetTrace, progress: Progress) -> Iterator[Verdict]:
    """One per step, of the servers that were heard of until then."""
    harm = np.array([_harm(name) for name in trace.metrics], np.float64)
    settings = EvidenceSettings(steps_per_day=DAY_SECONDS / trace.step_seconds)
    evidence = Evidence(trace.fleet, trace.metrics, harm, settings)
    residuals = Residuals(len(trace.servers), len(trace.metrics), trace.step_seconds)
    task = progress.add_task(trace.fleet, total=len(trace.values), unit="steps")
    for i, values in enumerate(trace.values):
        surprise = residuals.observe(trace.first_step + i, values.astype(np.float64))
        present = ~np.isnan(values).all(axis=1)
        heard = tuple(name for name, here in zip(trace.servers, present.tolist(), strict=True) if here)
        yield evidence.observe(trace.first_step + i, heard, surprise[present])
        progress.advance(task)


def profiles_of(rows: pl.DataFrame) -> dict[str, str]:
    """Server → profile, where the trace has any."""
    if "profile" not in rows.columns:
        return {}
    named = rows.select("server", "profile").drop_nulls().unique("server", keep="last", maintain_order=True)
    return dict(named.iter_rows())


def fleet_trace(rows: pl.DataFrame, step_seconds: int) -> FleetTrace:
    """The rows of one fleet (timestamps in epoch ms) on a grid of steps; of several in a step the last counts."""
    servers = tuple(rows["server"].unique().sort().to_list())
    metrics = tuple(name for name, kind in rows.schema.items() if kind.is_numeric() and name not in IDENTITY)
    steps = _steps(rows, step_seconds)
    first = int(steps.min())
    values = np.full((int(steps.max()) - first + 1, len(servers), len(metrics)), np.nan, np.float32)
    values[steps - first, _places(rows, servers)] = rows.select(pl.col(metrics).cast(pl.Float32)).to_numpy()
    fleet = str(rows["fleet"][0]) if "fleet" in rows.columns else "default"
    return FleetTrace(fleet, servers, metrics, first, step_seconds, values)


def _scored(rows: pl.DataFrame, trace: FleetTrace, said: list[Verdict]) -> pl.DataFrame:
    """(fleet), server, timestamp, score, abnormal of each row."""
    score: Floats = np.zeros((len(said), len(trace.servers)))
    abnormal = np.zeros(score.shape, np.bool_)
    place = {name: i for i, name in enumerate(trace.servers)}
    for i, verdict in enumerate(said):
        at = [place[name] for name in verdict.servers]
        score[i, at], abnormal[i, at] = verdict.score, verdict.abnormal
    step, server = _steps(rows, trace.step_seconds) - trace.first_step, _places(rows, trace.servers)
    return rows.select(
        *(name for name in ("fleet", "server") if name in rows.columns),
        pl.col("timestamp").cast(pl.Datetime("ms")),
        score=pl.Series(score[step, server]),
        abnormal=pl.Series(abnormal[step, server]),
    )


def _harm(metric: str) -> int:
    return DEFAULT_CATALOGUE.get(metric).harm


def _steps(rows: pl.DataFrame, step_seconds: int) -> Steps:
    return (rows["timestamp"] // (1000 * step_seconds)).to_numpy()


def _places(rows: pl.DataFrame, servers: tuple[str, ...]) -> Steps:
    numbers = {name: i for i, name in enumerate(servers)}
    return rows["server"].replace_strict(numbers, return_dtype=pl.Int64).to_numpy()
