"""argus cascades replay: a score for every row of a recorded trace."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from argus_cli.cascades import app
from argus_cli.cascades.replay import replay
from argus_common.errors import ConfigurationError

START = datetime(2025, 1, 1, tzinfo=UTC)
STEPS = 400


@pytest.fixture
def rows() -> pl.DataFrame:
    """Two fleets of three servers, ten minutes apart; web2 of the second breaks at step 390."""
    rng = np.random.default_rng(0)
    frames = []
    for fleet in ("one", "two"):
        for server in ("web1", "web2", "web3"):
            cpu = 40 + rng.normal(size=STEPS)
            if (fleet, server) == ("two", "web2"):
                cpu[390:] += 50
            frames.append(
                pl.DataFrame(
                    {
                        "fleet": [fleet] * STEPS,
                        "server": [server] * STEPS,
                        "timestamp": [START + timedelta(minutes=10) * i for i in range(STEPS)],
                        "cpu_used_pct": cpu,
                        "queue": rng.poisson(4, STEPS).astype(float),
                    }
                )
            )
    return pl.concat(frames).sort("timestamp", "server")


def scores(rows: pl.DataFrame, folder: Path, name: str = "scores.parquet", step: int | None = None) -> pl.DataFrame:
    file = folder / f"in-{name}"
    rows.write_parquet(file)
    replay(file, folder / name, step)
    return pl.read_parquet(folder / name)


def test_every_row_gets_a_score_and_only_the_broken_server_is_abnormal(rows: pl.DataFrame, tmp_path: Path) -> None:
    found = scores(rows, tmp_path)
    assert found.columns == ["fleet", "server", "timestamp", "score", "abnormal"]
    assert found.height == rows.height
    assert found["score"].is_between(0, 1).all()
    late = found.filter(pl.col("timestamp") >= (START + timedelta(minutes=3800)).replace(tzinfo=None))
    assert late.filter("abnormal").select("fleet", "server").unique().rows() == [("two", "web2")]


def test_a_trace_without_fleets_has_scores_without_fleets(rows: pl.DataFrame, tmp_path: Path) -> None:
    found = scores(rows.filter(pl.col("fleet") == "two").drop("fleet"), tmp_path)
    assert found.columns == ["server", "timestamp", "score", "abnormal"]
    assert found.equals(scores(rows, tmp_path, "whole.parquet").filter(pl.col("fleet") == "two").drop("fleet"))


def test_nothing_later_is_looked_at(rows: pl.DataFrame, tmp_path: Path) -> None:
    cut = START + timedelta(minutes=10) * 300
    whole, known = scores(rows, tmp_path), scores(rows.filter(pl.col("timestamp") < cut), tmp_path, "known.parquet")
    assert whole.filter(pl.col("timestamp") < cut.replace(tzinfo=None)).equals(known)


def test_rows_without_a_server_for_a_while_do_not_stop_it(rows: pl.DataFrame, tmp_path: Path) -> None:
    gap = (pl.col("server") == "web3") & (pl.col("timestamp") > START + timedelta(minutes=3000))
    found = scores(rows.filter(~gap), tmp_path)
    assert found.height == rows.filter(~gap).height


def test_the_help_shows_an_example() -> None:
    said = CliRunner().invoke(app, ["replay", "--help"])
    assert "argus cascades replay week.parquet" in said.output


def test_a_trace_of_one_sample_needs_the_step(rows: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="give --step"):
        scores(rows.head(1), tmp_path)
    assert scores(rows.head(1), tmp_path, step=600).height == 1
