"""`argus forecast`: the batch contract."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from argus_cli.forecast import forecast
from argus_common.errors import ConfigurationError

START = datetime(2025, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
STEPS = 1000


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Two servers, two metrics, three and a half days."""
    rng = np.random.default_rng(1)
    frames = [
        pl.DataFrame(
            {
                "server": [server] * STEPS,
                "timestamp": [START + STEP * i for i in range(STEPS)],
                "cpu_used_pct": np.clip(50 + 20 * np.sin(np.arange(STEPS) / 46) + rng.normal(0, 3, STEPS), 0, 100),
                "queue_length": rng.poisson(4, STEPS).astype(float),
            }
        )
        for server in ("a", "b")
    ]
    file = tmp_path / "trace.parquet"
    pl.concat(frames).write_parquet(file)
    return file


@pytest.fixture
def origins(tmp_path: Path) -> Path:
    """Three origins."""
    file = tmp_path / "origins.parquet"
    pl.DataFrame(
        {
            "server": ["a", "b", "a"],
            "metric": ["cpu_used_pct", "cpu_used_pct", "queue_length"],
            "timestamp": [START + STEP * 899, START + STEP * 600, START + STEP * 899],
        }
    ).write_parquet(file)
    return file


def test_the_output_has_the_contracts_columns_and_a_row_per_origin_and_lead(
    trace: Path, origins: Path, tmp_path: Path
) -> None:
    out, breaches = tmp_path / "out.parquet", tmp_path / "breaches.parquet"
    forecast(trace, out, 12, origins, limit=["cpu_used_pct=90"], breaches=breaches, quantiles="0.1,0.5,0.9")
    found = pl.read_parquet(out)
    assert found.columns == ["server", "metric", "origin", "lead", "q0.1", "q0.5", "q0.9"]
    assert found.height == 3 * 12
    assert found.filter(pl.col("server") == "b")["lead"].to_list() == list(range(1, 13))
    assert found["q0.1"].min() >= 0  # type: ignore[operator]
    warned = pl.read_parquet(breaches)
    assert warned.columns == [
        "server",
        "metric",
        "origin",
        "within_minutes",
        "probability",
        "ttt_p10",
        "ttt_p50",
        "ttt_p90",
    ]
    assert warned.height == 2 * 4
    assert warned["within_minutes"].to_list()[:4] == [15, 60, 240, 480]


def test_nothing_after_an_origin_is_looked_at(trace: Path, origins: Path, tmp_path: Path) -> None:
    forecast(trace, tmp_path / "whole.parquet", 12, origins)
    cut = tmp_path / "cut.parquet"
    known = pl.read_parquet(trace).with_columns(
        pl.when(pl.col("timestamp") <= START + STEP * 899).then(pl.col("cpu_used_pct")).alias("cpu_used_pct"),
        pl.when(pl.col("timestamp") <= START + STEP * 899).then(pl.col("queue_length")).alias("queue_length"),
    )
    known.write_parquet(cut)
    forecast(cut, tmp_path / "known.parquet", 12, origins)
    assert pl.read_parquet(tmp_path / "known.parquet").equals(pl.read_parquet(tmp_path / "whole.parquet"))


def test_every_k_steps_makes_origins_for_every_server_and_metric(trace: Path, tmp_path: Path) -> None:
    forecast(trace, tmp_path / "out.parquet", 3, every=100)
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert found.select("server", "metric").n_unique() == 4
    assert found["origin"].n_unique() == 8


def test_a_long_trace_gives_the_same_as_a_wide_one(trace: Path, origins: Path, tmp_path: Path) -> None:
    long = tmp_path / "long.parquet"
    wide = pl.read_parquet(trace)
    wide.unpivot(index=["server", "timestamp"], variable_name="metric", value_name="value").write_parquet(long)
    forecast(trace, tmp_path / "wide_out.parquet", 6, origins)
    forecast(long, tmp_path / "long_out.parquet", 6, origins)
    assert pl.read_parquet(tmp_path / "long_out.parquet").equals(pl.read_parquet(tmp_path / "wide_out.parquet"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either --origins FILE or --every K"),
        ({"every": 100, "quantiles": "0.5,1.5"}, "expected numbers between 0 and 1"),
        ({"every": 100, "limit": ["cpu_used_pct=high"]}, "expected METRIC=VALUE"),
    ],
)
def test_a_wrong_option_is_told(trace: Path, tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        forecast(trace, tmp_path / "out.parquet", 3, **arguments)  # type: ignore[arg-type]


def test_an_origin_of_an_unknown_metric_names_what_the_trace_has(trace: Path, tmp_path: Path) -> None:
    file = tmp_path / "wrong.parquet"
    pl.DataFrame({"server": ["a"], "metric": ["nope"], "timestamp": [START]}).write_parquet(file)
    with pytest.raises(ConfigurationError, match="no metric 'nope'; it has cpu_used_pct, queue_length"):
        forecast(trace, tmp_path / "out.parquet", 3, file)
