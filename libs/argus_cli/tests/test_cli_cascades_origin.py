"""`argus cascades origin`: the batch contract."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from argus_cli.cascades.origin import origin
from argus_common.errors import ConfigurationError

START = datetime(2025, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
STEPS, BEGIN, UNTIL = 160, 150, 154
SERVERS = ("app", "calm", "db", "web")


def trace_of(fleets: tuple[str, ...] = ("",)) -> pl.DataFrame:
    """Four servers; db departs, and takes app and web along."""
    rng = np.random.default_rng(1)
    frames = []
    for fleet in fleets:
        for server, size in zip(SERVERS, (30, 0, 25, 35), strict=True):
            value = rng.normal(50, 1, STEPS) + size * (np.arange(STEPS) >= BEGIN)
            frame = pl.DataFrame({"timestamp": [START + STEP * i for i in range(STEPS)], "queue": value})
            frames.append(frame.with_columns(server=pl.lit(server), fleet=pl.lit(fleet)))
    rows = pl.concat(frames)
    return rows if fleets != ("",) else rows.drop("fleet")


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    file = tmp_path / "trace.parquet"
    trace_of().write_parquet(file)
    return file


@pytest.fixture
def edges(tmp_path: Path) -> Path:
    file = tmp_path / "edges.parquet"
    pl.DataFrame({"source": ["web", "app"], "target": ["app", "db"]}).write_parquet(file)
    return file


def at(folder: Path, **columns: object) -> Path:
    """One incident; ``columns`` change or add to it."""
    row = {"id": "i1", "timestamp": START + STEP * BEGIN, "until": START + STEP * UNTIL, **columns}
    file = folder / "at.parquet"
    pl.DataFrame({name: [value] for name, value in row.items()}).write_parquet(file)
    return file


def test_every_server_is_ranked_and_no_two_are_equal(trace: Path, edges: Path, tmp_path: Path) -> None:
    origin(trace, at(tmp_path), tmp_path / "ranks.parquet", edges)
    found = pl.read_parquet(tmp_path / "ranks.parquet")
    assert found.columns == ["id", "server", "probability", "reasons"]
    assert sorted(found["server"].to_list()) == list(SERVERS)
    assert found["id"].unique().to_list() == ["i1"]
    assert found["server"][0] == "db"
    assert "the others depend on it" in found["reasons"][0]
    assert found["probability"].n_unique() == len(SERVERS)
    assert 0.5 < found["probability"].sum() <= 1


def test_nothing_after_the_incident_is_looked_at(trace: Path, edges: Path, tmp_path: Path) -> None:
    origin(trace, at(tmp_path), tmp_path / "whole.parquet", edges)
    rows = pl.read_parquet(trace)
    later = pl.when(pl.col("timestamp") > START + STEP * UNTIL).then(1e6).otherwise(pl.col("queue"))
    rows.with_columns(later.alias("queue")).write_parquet(trace)
    origin(trace, at(tmp_path), tmp_path / "other.parquet", edges)
    rows.filter(pl.col("timestamp") <= START + STEP * UNTIL).write_parquet(trace)
    origin(trace, at(tmp_path), tmp_path / "cut.parquet", edges)
    whole = pl.read_parquet(tmp_path / "whole.parquet")
    assert whole.equals(pl.read_parquet(tmp_path / "other.parquet"))
    assert whole.equals(pl.read_parquet(tmp_path / "cut.parquet"))


def test_a_long_trace_gives_the_same_as_a_wide_one(trace: Path, tmp_path: Path) -> None:
    origin(trace, at(tmp_path), tmp_path / "wide.parquet")
    rows = pl.read_parquet(trace).unpivot(index=["server", "timestamp"], variable_name="metric", value_name="value")
    rows.write_parquet(trace)
    origin(trace, at(tmp_path), tmp_path / "long.parquet")
    assert pl.read_parquet(tmp_path / "wide.parquet").equals(pl.read_parquet(tmp_path / "long.parquet"))


def test_each_fleet_has_its_own_servers_and_edges(tmp_path: Path) -> None:
    file, edges = tmp_path / "trace.parquet", tmp_path / "edges.parquet"
    trace_of(("one", "two")).write_parquet(file)
    pairs = {"fleet": ["one", "one", "two"], "source": ["web", "app", "db"], "target": ["app", "db", "web"]}
    pl.DataFrame(pairs).write_parquet(edges)
    origin(file, at(tmp_path, fleet="one"), tmp_path / "one.parquet", edges)
    origin(file, at(tmp_path, fleet="two"), tmp_path / "two.parquet", edges)
    assert pl.read_parquet(tmp_path / "one.parquet")["server"][0] == "db"
    assert pl.read_parquet(tmp_path / "two.parquet")["server"][0] == "web"


def test_the_table_names_the_first_candidates_and_why(
    trace: Path, edges: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    origin(trace, at(tmp_path), tmp_path / "ranks.parquet", edges)
    told = capsys.readouterr().out
    assert "db" in told
    assert "departed no later than the others" in told
    assert "calm" not in told


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"until": START}, "incident i1 has until before timestamp"),
        ({"fleet": "nope"}, "incident i1: the trace has no fleet 'nope'; it has default"),
        ({"symptom": "nope"}, "incident i1: the trace has no server 'nope', its symptom"),
        ({"timestamp": START}, "the trace has nothing of fleet default before it"),
        ({"timestamp": START + STEP * 900, "until": START + STEP * 901}, "nothing of fleet default"),
        ({"timestamp": None}, "rows without timestamp"),
        ({"until": "soon"}, "timestamp and until must be times"),
    ],
)
def test_an_impossible_incident_is_told(trace: Path, tmp_path: Path, columns: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        origin(trace, at(tmp_path, **columns), tmp_path / "ranks.parquet")


def test_a_file_that_lacks_a_column_says_which(trace: Path, tmp_path: Path) -> None:
    file = tmp_path / "edges.parquet"
    pl.DataFrame({"source": ["web"], "dest": ["app"]}).write_parquet(file)
    with pytest.raises(ConfigurationError, match="no column target; it has source, dest"):
        origin(trace, at(tmp_path), tmp_path / "ranks.parquet", file)


def test_a_file_that_is_no_parquet_is_told(trace: Path, tmp_path: Path) -> None:
    file = tmp_path / "at.parquet"
    file.write_text("id,timestamp,until\n")
    with pytest.raises(ConfigurationError, match=r"at\.parquet"):
        origin(trace, file, tmp_path / "ranks.parquet")


def test_an_empty_list_of_incidents_is_told(trace: Path, tmp_path: Path) -> None:
    file = at(tmp_path)
    pl.read_parquet(file).clear().write_parquet(file)
    with pytest.raises(ConfigurationError, match="no incident in it"):
        origin(trace, file, tmp_path / "ranks.parquet")
