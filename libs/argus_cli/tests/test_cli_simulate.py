"""``argus simulate`` into files."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner, Result

from argus_cli.simulate import simulate
from argus_common.errors import ConfigurationError

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = ("--duration", "3600", "--interval", "300", "--start", "2026-01-01")


def run(*arguments: str) -> Result:
    """The command with these arguments."""
    app = typer.Typer()
    app.command()(simulate)
    return CliRunner().invoke(app, [*arguments], env={"COLUMNS": "160", "TERM": "dumb"})


def truth(file: Path) -> Iterator[dict[str, Any]]:
    """The lines of a truth file."""
    return (json.loads(line) for line in file.read_text().splitlines())


def test_an_hour_of_a_fleet_goes_into_a_file_with_its_truth(tmp_path: Path) -> None:
    out, facts = tmp_path / "fleet.parquet", tmp_path / "truth.ndjson"
    done = run("--servers", "20", *HOUR, "--scenario", "critical", "--out", str(out), "--truth", str(facts))
    assert done.exit_code == 0, done.output
    table = pl.read_parquet(out)
    assert table.height == 12 * 20
    assert (table["timestamp"].min(), table["timestamp"].max()) == (NEW_YEAR, NEW_YEAR.replace(minute=55))
    assert sum(line["what"] == "fault" for line in truth(facts)) >= 5


def test_the_past_comes_before_the_start_and_is_without_the_scenario(tmp_path: Path) -> None:
    out, facts = tmp_path / "fleet.parquet", tmp_path / "truth.ndjson"
    run(
        "--servers", "20", *HOUR, "--history", "172800", "--scenario", "critical", "--out", str(out),
        "--truth", str(facts),
    )  # fmt: skip
    assert pl.read_parquet(out)["timestamp"].min() == datetime(2025, 12, 30, tzinfo=UTC)
    began = [line["begin_s"] for line in truth(facts) if line.get("kind") in ("memory_leak", "disk_fill")]
    assert began
    assert all(NEW_YEAR.timestamp() <= moment < NEW_YEAR.timestamp() + 3600 for moment in began)


@pytest.mark.parametrize("suffix", ["parquet", "ndjson"])
def test_the_same_seed_gives_the_same_file(tmp_path: Path, suffix: str) -> None:
    files = [tmp_path / f"{name}.{suffix}" for name in ("one", "two", "other")]
    for file, seed in zip(files, (3, 3, 4), strict=True):
        run("--servers", "20", *HOUR, "--seed", str(seed), "--missing", "0.1", "--out", str(file))
    one, two, other = (file.read_bytes() for file in files)
    assert one == two != other


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--out", "week.parquet"], "a file needs an end: give --duration"),
        (["--speed", "fast"], "'fast': expected a positive number or 'max'"),
        (["--speed", "-1"], "'-1': expected a positive number or 'max'"),
        (["--servers", "3"], "--servers"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_is_expected(arguments: list[str], told: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert told in done.output


def test_another_file_format_is_refused(tmp_path: Path) -> None:
    done = run(*HOUR, "--out", str(tmp_path / "fleet.csv"))
    assert isinstance(done.exception, ConfigurationError)
    assert "expected a .parquet or .ndjson file" in str(done.exception)


def test_a_file_without_a_start_holds_nothing_of_the_future(tmp_path: Path) -> None:
    out = tmp_path / "fleet.parquet"
    run("--servers", "7", "--duration", "3600", "--interval", "300", "--out", str(out))
    assert pl.read_parquet(out).select((pl.col("timestamp") < datetime.now(UTC)).all()).item()
