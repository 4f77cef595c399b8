"""``argus cascades origin``: something broke at 14:05; who began?"""

from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from argus_cascade.domain.origin import Candidate, rank_origins
from argus_cli.cascades.incidents import Incident, by_fleet, departures_of, read_edges, read_incidents
from argus_cli.screen import wide_console
from argus_cli.trace_frame import Selection, read_trace, with_derived
from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.grid import infer_step

console = Console(stderr=True)

SHOWN = 3
"""Candidates of each incident in the table."""
LEAST_SHOWN = 0.01
NOTHING_CLEAR = "[dim]did not depart clearly[/]"
TIE_BREAK = 1 - 1e-9
"""Equal candidates get probabilities that differ by this, in the order of their names."""


def origin(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Parquet or CSV, wide or long.")],
    at: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="Parquet with id, timestamp, until, optionally fleet, symptom."),
    ],
    out: Annotated[Path, typer.Option(dir_okay=False, help="Parquet file for the ranks.")],
    edges: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Parquet with source, target (source depends on target), optionally fleet.",
        ),
    ] = None,
    step: Annotated[int | None, typer.Option(min=1, help="Seconds per step; inferred by default.")] = None,
) -> None:
    """Say of each incident where it began: all servers of its fleet, ranked, with probabilities and reasons.

    An incident lasts from timestamp to until; it is compared with what came before, and nothing after it is looked at.
    symptom is the server where it was noticed: then what goes with its course counts. The probabilities of an incident
    sum to less than 1: the rest is for a cause that is no server of the fleet.

    OUT has id, server, probability, reasons.

    Example: argus cascades origin week.parquet --at incidents.parquet --edges calls.parquet --out ranks.parquet
    """
    incidents = read_incidents(at)
    topologies = read_edges(edges) if edges else {}
    with console.status(f"Reading {file} ..."):
        rows = with_derived(read_trace(file, Selection()), DEFAULT_CATALOGUE)
    seconds = step or infer_step(rows)
    fleets = by_fleet(rows)
    ranked = []
    for incident in incidents:
        if incident.fleet not in fleets:
            known = ", ".join(sorted(fleets)[:5])
            raise ConfigurationError(
                f"incident {incident.id}: the trace has no fleet {incident.fleet!r}; it has {known}"
            )
        departures = departures_of(incident, fleets[incident.fleet], seconds, DEFAULT_CATALOGUE)
        if incident.symptom is not None and incident.symptom not in departures.servers:
            raise ConfigurationError(
                f"incident {incident.id}: the trace has no server {incident.symptom!r}, its symptom"
            )
        topology = topologies.get(incident.fleet, topologies.get(None))
        ranked.append((incident, rank_origins(departures, topology, incident.symptom)))
    found = pl.concat([ranks(incident, candidates) for incident, candidates in ranked])
    found.write_parquet(out)
    wide_console().print(_table(ranked))
    console.print(f"Wrote {found.height:,} rows to {out}.")


def ranks(incident: Incident, candidates: tuple[Candidate, ...]) -> pl.DataFrame:
    """A row per candidate, the likeliest first, no two equally likely."""
    chances: list[float] = []
    for candidate in candidates:
        below = chances[-1] * TIE_BREAK if chances else 1.0
        chances.append(min(candidate.probability, below))
    return pl.DataFrame(
        {
            "id": [incident.id] * len(candidates),
            "server": [candidate.server for candidate in candidates],
            "probability": chances,
            "reasons": ["; ".join(candidate.reasons) for candidate in candidates],
        }
    )


def _table(ranked: list[tuple[Incident, tuple[Candidate, ...]]]) -> Table:
    table = Table(title="Where each incident began", title_justify="left")
    table.add_column("incident", no_wrap=True)
    table.add_column("candidate", overflow="fold")
    table.add_column("probability", justify="right", no_wrap=True)
    table.add_column("because it")
    for incident, candidates in ranked:
        for place, candidate in enumerate(candidates[:SHOWN]):
            if place == 0 or candidate.probability >= LEAST_SHOWN:
                name = f"{incident.fleet} {incident.id}" if place == 0 else ""
                why = "; ".join(candidate.reasons) or NOTHING_CLEAR
                table.add_row(name, candidate.server, f"{candidate.probability:.2f}", why)
        table.add_section()
    return table
