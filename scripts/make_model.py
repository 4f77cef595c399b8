"""Make the shipped model: `make model AZURE=FILE`.

It is trained on the CPU of 122 virtual machines of the Azure Public Dataset V1 (CC-BY-4.0; E. Cortez et al., "Resource
Central", SOSP 2017) and on two simulated fleets, three weeks each. FILE has machine_id, step, cpu_avg_pct, cpu_max_pct.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

DATA = """
## Data

CPU (average and maximum of five minutes) of 122 virtual machines over three weeks: Azure Public Dataset V1, Microsoft,
CC-BY-4.0; E. Cortez et al., "Resource Central: Understanding and Predicting Workloads for Improved Resource Management
in Large Cloud Platforms", SOSP 2017; by way of carlonlv/DataCenterSim. And two simulated fleets of 80 servers
(`argus simulate`), three weeks each, one healthy, one degrading. `make model` makes it again.
"""
"""Goes into the card: where the data is from, and its licence."""

ARGUS = [sys.executable, "-m", "argus_cli.main"]
STEP_MS, DAYS = 300_000, 21
BEGIN = "2026-01-05T00:00:00"
BEGIN_MS = 1_767_571_200_000
FLEETS = ((3, "healthy"), (4, "degrading"))
"""(seed, scenario) of the simulated fleets."""
SERVERS = 80


def azure(file: Path) -> pl.DataFrame:
    """Average and maximum within each step, as CPU of two servers."""
    rows = pl.read_parquet(file)
    stamp = (BEGIN_MS + pl.col("step").cast(pl.Int64) * STEP_MS).cast(pl.Datetime("ms")).alias("timestamp")
    parts = [
        rows.select(
            pl.concat_str(pl.lit(f"{kind}-"), "machine_id").alias("server"),
            stamp,
            pl.lit("azure").alias("fleet"),
            pl.col(column).alias("cpu_used_pct"),
        )
        for kind, column in (("average", "cpu_avg_pct"), ("maximum", "cpu_max_pct"))
    ]
    return pl.concat(parts)


def simulated(seed: int, scenario: str, folder: Path) -> pl.DataFrame:
    """Three weeks of a fleet, a fleet of its own."""
    file = folder / f"{seed}.parquet"
    options = {"servers": SERVERS, "seed": seed, "scenario": scenario, "start": BEGIN, "duration": DAYS * 86_400}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    run("simulate", *words, "--interval", "300", "--speed", "max", "--out", str(file))
    rows = pl.read_parquet(file).with_columns(
        pl.col("timestamp").cast(pl.Datetime("ms")), pl.lit(f"s{seed}").alias("fleet")
    )
    busy = (100 - pl.col("cpu_idle_pct")).alias("cpu_used_pct")
    return rows.with_columns(busy, pl.concat_str("fleet", pl.lit("-"), "server").alias("server"))


def run(*words: str) -> None:
    """An argus command."""
    subprocess.run([*ARGUS, *words], check=True)


def main() -> None:
    """Simulate, join, train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("azure", type=Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--steps", default="1500")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        parts = [azure(arguments.azure), *(simulated(seed, scenario, folder) for seed, scenario in FLEETS)]
        file = folder / "trace.parquet"
        pl.concat(parts, how="diagonal_relaxed").write_parquet(file)
        notes = folder / "notes.md"
        notes.write_text(DATA)
        words = ["--name", "argus", "--version", arguments.version, "--steps", arguments.steps, "--notes", str(notes)]
        run("train", str(file), *words)


if __name__ == "__main__":
    main()
