"""Archives: files and folders, wide and long, in any order, give the same array as the trace in memory."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting import archive
from argus_forecasting.archive import Archive, open_store, step_of
from argus_forecasting.trace_store import TraceStore

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
STEPS = 200
IDLE = "cpu_idle_pct"


@pytest.fixture
def trace() -> pl.DataFrame:
    """Three servers of two fleets, with gaps and without ``cpu_used_pct``."""
    rng = np.random.default_rng(1)
    parts = [
        pl.DataFrame(
            {
                "server": server,
                "timestamp": [BEGIN + timedelta(minutes=5 * i) for i in range(STEPS)],
                "fleet": fleet,
                "profile": profile,
                IDLE: rng.uniform(0, 100, STEPS).astype(np.float32),
                "mem_used_pct": rng.uniform(0, 100, STEPS).astype(np.float32),
            }
        )
        for server, fleet, profile in (("a", "eu", "web_api"), ("b", "us", "database"), ("c", "us", "web_api"))
    ]
    rows = pl.concat(parts)
    return rows.with_columns(pl.when(pl.Series(rng.random(rows.height) > 0.1)).then(pl.col(IDLE)).alias(IDLE))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every trace here comes in many frames."""
    monkeypatch.setattr(archive, "BATCH_ROWS", 7)


def opened(place: Path, folder: Path) -> TraceStore:
    return open_store(Archive.at(place), None, folder, DEFAULT_CATALOGUE)


def in_memory(trace: pl.DataFrame) -> TraceStore:
    rows = trace.with_columns(pl.col("timestamp").dt.timestamp("ms"), cpu_used_pct=100 - pl.col(IDLE))
    return TraceStore.of(rows, 300)


def assert_same(found: TraceStore, expected: TraceStore) -> None:
    assert found.servers == expected.servers
    assert found.profile == expected.profile
    assert found.fleet_of.tolist() == expected.fleet_of.tolist()
    assert (found.first_step, found.step_seconds, found.length) == (expected.first_step, 300, STEPS)
    assert set(found.metrics) == {IDLE, "mem_used_pct", "cpu_used_pct"}
    for name in found.metrics:
        np.testing.assert_allclose(
            found.values[:, found.metric(name)], expected.values[:, expected.metric(name)], rtol=1e-5, atol=1e-4
        )


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("form", ["wide", "long"])
def test_a_file_in_any_order_and_form_gives_the_array_of_the_whole_trace(
    trace: pl.DataFrame, tmp_path: Path, form: str, *, shuffled: bool
) -> None:
    rows = trace
    if form == "long":
        who = ["server", "timestamp", "fleet", "profile"]
        rows = trace.unpivot(index=who, variable_name="metric", value_name="value")
    if shuffled:
        rows = rows.sample(fraction=1, shuffle=True, seed=2)
    rows.write_parquet(tmp_path / "trace.parquet", row_group_size=64)
    assert_same(opened(tmp_path / "trace.parquet", tmp_path / "array"), in_memory(trace))


def test_a_folder_that_is_partitioned_by_fleet_and_date_is_one_trace(trace: pl.DataFrame, tmp_path: Path) -> None:
    dated = trace.with_columns(pl.col("timestamp").dt.date().alias("date"))
    for (fleet, date), part in dated.group_by(["fleet", "date"]):
        place = tmp_path / "archive" / f"fleet={fleet}" / f"date={date}"
        place.mkdir(parents=True)
        part.drop("fleet", "date").write_parquet(place / "part-0.parquet")
    (tmp_path / "archive" / "_unfinished.parquet").write_text("no Parquet")
    assert_same(opened(tmp_path / "archive", tmp_path / "array"), in_memory(trace))


@pytest.mark.parametrize(
    "times",
    [
        pl.col("timestamp").dt.epoch("s"),
        pl.col("timestamp").dt.epoch("ms"),
        pl.col("timestamp").dt.timestamp("us").cast(pl.Float64),
        pl.col("timestamp").dt.timestamp("ns"),
        pl.col("timestamp").dt.replace_time_zone(None),
        pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ],
)
def test_times_are_read_whatever_their_unit(trace: pl.DataFrame, tmp_path: Path, times: pl.Expr) -> None:
    trace.with_columns(times.alias("timestamp")).write_parquet(tmp_path / "trace.parquet")
    assert opened(tmp_path / "trace.parquet", tmp_path / "array").first_step == in_memory(trace).first_step


def test_files_may_have_different_metrics(trace: pl.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    trace.drop("mem_used_pct").write_parquet(tmp_path / "archive" / "1.parquet")
    trace.drop(IDLE).write_parquet(tmp_path / "archive" / "2.parquet")
    assert_same(opened(tmp_path / "archive", tmp_path / "array"), in_memory(trace))


def test_only_the_first_servers_are_read_where_fewer_are_wanted(trace: pl.DataFrame, tmp_path: Path) -> None:
    trace.write_parquet(tmp_path / "trace.parquet")
    some = Archive.at(tmp_path / "trace.parquet").first(2)
    assert open_store(some, None, tmp_path / "array", DEFAULT_CATALOGUE).servers == ("a", "b")


def test_the_step_is_found_though_no_frame_has_neighbouring_samples(trace: pl.DataFrame, tmp_path: Path) -> None:
    trace.sample(fraction=1, shuffle=True, seed=3).write_parquet(tmp_path / "trace.parquet")
    assert step_of(Archive.at(tmp_path / "trace.parquet")) == 300


def test_what_is_not_an_archive_is_told_with_the_file(trace: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no \.parquet file in this folder"):
        Archive.at(tmp_path)
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(ConfigurationError, match=r"text.parquet: not a Parquet file"):
        opened(tmp_path / "text.parquet", tmp_path / "array")
    trace.drop("server").write_parquet(tmp_path / "nobody.parquet")
    with pytest.raises(ConfigurationError, match=r"nobody.parquet: no column server; it has timestamp, fleet"):
        opened(tmp_path / "nobody.parquet", tmp_path / "array")
    trace.with_columns(server=pl.lit(None, pl.String)).write_parquet(tmp_path / "null.parquet")
    with pytest.raises(ConfigurationError, match="rows without server or timestamp"):
        opened(tmp_path / "null.parquet", tmp_path / "array")
    trace.select("server", "timestamp").write_parquet(tmp_path / "bare.parquet")
    with pytest.raises(ConfigurationError, match="no numeric column"):
        opened(tmp_path / "bare.parquet", tmp_path / "array")


def test_a_file_that_was_cut_short_is_told(trace: pl.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "cut.parquet"
    trace.write_parquet(file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ConfigurationError, match=r"cut\.parquet: not a Parquet file"):
        opened(file, tmp_path / "array")
