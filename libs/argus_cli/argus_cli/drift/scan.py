"""``argus drift scan``: when servers of a recorded trace changed for good."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.progress import Progress
from rich.table import Table

from argus_cli.progress import bars
from argus_cli.screen import wide_console
from argus_cli.trace_archive import open_trace
from argus_cli.trace_frame import Selection, scan_trace
from argus_common.errors import ConfigurationError
from argus_drift.domain.alarm import Alarm
from argus_drift.domain.detector import HOUR_SECONDS, LEAST_REFERENCE_HOURS, REFERENCE_HOURS, Detector
from argus_forecasting.grid import infer_step
from argus_forecasting.trace_store import TraceStore

AT_ONCE = 2_000_000
"""Values of references that are collected at once; more servers are watched in groups."""
LEAST_STEP_SECONDS = 60
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "server": pl.String, "metric": pl.String, "timestamp": pl.Datetime("us", "UTC"), "kind": pl.String,
    "statistic": pl.String, "value": pl.Float64, "threshold": pl.Float64, "since": pl.Datetime("us", "UTC"),
}  # fmt: skip


def scan(
    file: Annotated[Path, typer.Argument(exists=True, help="Parquet (file or folder) or CSV, wide or long.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="Parquet file for the alarms.")],
    step: Annotated[
        int | None, typer.Option(min=1, help="Seconds per step, a divisor of 3600; inferred by default.")
    ] = None,
) -> None:
    """Tell drift in a recorded trace: a level, trend, variance, seasonality or relation that has changed for good.

    Every server is compared with its own first week (of a shorter trace, its first half, at least three days), and
    after an alarm with the week that follows it. Incidents of up to six hours are no drift. Nothing after an alarm is
    looked at.

    OUT has a row per alarm: server, metric (two where their relation changed), timestamp (when it was raised), kind,
    statistic (the test that went furthest, with the span it looks at), value and threshold (how far outside of the
    reference's own range, in widths of it), since (when the change began).

    Examples: argus drift scan month.parquet --out alarms.parquet   ·   argus drift scan metrics/ --step 600
    --out alarms.parquet
    """
    console = wide_console()
    with tempfile.TemporaryDirectory() as scratch:
        with console.status(f"Reading {file} ..."):
            store = open_trace(file, step or _step(file), Path(scratch))
        with bars() as progress:
            rows = list(_scan(store, _reference_hours(store), progress))
    found = pl.DataFrame(rows, SCHEMA, orient="row").sort("timestamp", "server")
    found.write_parquet(out)
    console.print(_summary(found, len(store.servers)))
    console.print(f"Wrote {found.height:,} alarms to {out}.", highlight=False)


def _step(file: Path) -> int | None:
    """The shortest divisor of an hour that is no shorter than the time between samples, and no less than a minute;
    None of a folder, where it is inferred later.
    """
    if file.is_dir():
        return None
    between = infer_step(scan_trace(file, Selection()).select("server", "timestamp").unique().collect())
    fitting = [n for n in range(max(between, LEAST_STEP_SECONDS), HOUR_SECONDS + 1) if HOUR_SECONDS % n == 0]
    if not fitting:
        raise ConfigurationError(f"{file}: samples are {between} s apart; drift is tested by the hour")
    return fitting[0]


def _reference_hours(store: TraceStore) -> int:
    """A week; of a shorter trace its first half."""
    hours = store.length * store.step_seconds // HOUR_SECONDS
    if hours <= LEAST_REFERENCE_HOURS:
        raise ConfigurationError(
            f"the trace spans {hours} h: drift needs a reference of {LEAST_REFERENCE_HOURS} h and something after it"
        )
    return REFERENCE_HOURS if hours > REFERENCE_HOURS else max(LEAST_REFERENCE_HOURS, hours // 2)


def _scan(store: TraceStore, reference_hours: int, progress: Progress) -> Iterator[tuple[object, ...]]:
    """Rows of alarms, group by group of servers."""
    each = len(store.metrics) * reference_hours * HOUR_SECONDS // store.step_seconds
    size = max(AT_ONCE // each, 1)
    begins = range(0, len(store.servers), size)
    task = progress.add_task("Scanning", total=len(begins) * store.length, unit="steps")
    for begin in begins:
        names = store.servers[begin : begin + size]
        detector = Detector(len(names), store.metrics, store.step_seconds, reference_hours)
        for column in range(store.length):
            for alarm in detector.step(store.first_step + column, store.values[begin : begin + size, :, column]):
                yield _row(alarm, names[alarm.server], store.step_seconds)
            progress.advance(task)


def _row(alarm: Alarm, server: str, step_seconds: int) -> tuple[object, ...]:
    raised, since = ((step * step_seconds * 1_000_000) for step in (alarm.step + 1, alarm.since))
    return server, alarm.metric, raised, alarm.kind, alarm.statistic, alarm.value, alarm.threshold, since


def _summary(alarms: pl.DataFrame, servers: int) -> Table:
    table = Table(title=f"Drift: {alarms['server'].n_unique()} of {servers:,} servers")
    for name in ("kind", "alarms", "servers"):
        table.add_column(name, justify="left" if name == "kind" else "right")
    for kind, count in Counter(alarms["kind"]).most_common():
        of_kind = alarms.filter(pl.col("kind") == kind)
        table.add_row(kind, f"{count:,}", f"{of_kind['server'].n_unique():,}")
    return table
