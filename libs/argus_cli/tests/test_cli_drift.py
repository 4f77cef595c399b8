"""``argus drift``: alarms of a recorded trace, and their scores against labels."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from drift_fleet import DAY, STEP_SECONDS, fleet

from argus_cli.drift.evaluate import evaluate
from argus_cli.drift.scan import scan
from argus_common.errors import ConfigurationError

START = datetime(2025, 1, 6, tzinfo=UTC)
ONSET = START + timedelta(days=9)
SHARED = next(
    (p / "shared/data/drift_streams" for p in Path(__file__).parents if (p / "shared").is_dir()), Path("none")
)


def write(file: Path, days: int = 12, step: int = STEP_SECONDS) -> Path:
    """Two servers; the second one's CPU rises by 30 points on the tenth day."""
    values = fleet(2, days)
    values[9 * DAY :, 1, 0] += 30
    times = [START + timedelta(seconds=step * k) for k in range(days * DAY)]
    parts = [
        pl.DataFrame({"server": f"s{i}", "timestamp": times, "load": values[:, i, 0], "used": values[:, i, 1]})
        for i in range(2)
    ]
    pl.concat(parts).write_parquet(file)
    return file


def test_a_lasting_change_is_written_with_when_it_was_raised_and_since_when_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "alarms.parquet"
    scan(write(tmp_path / "trace.parquet"), out=out)
    (row,) = pl.read_parquet(out).to_dicts()
    assert (row["server"], row["kind"]) == ("s1", "level")
    assert ONSET < row["timestamp"] <= ONSET + timedelta(hours=24)
    assert abs(row["since"] - ONSET) <= timedelta(hours=1)
    assert row["value"] > row["threshold"] > 0
    told = capsys.readouterr().out
    assert "1 of 2 servers" in told
    assert "Wrote 1 alarms" in told


def test_an_alarm_does_not_depend_on_what_came_after_it(tmp_path: Path) -> None:
    whole, short = tmp_path / "whole.parquet", tmp_path / "short.parquet"
    scan(write(tmp_path / "trace.parquet"), out=whole)
    (alarm,) = pl.read_parquet(whole).to_dicts()
    rows = pl.read_parquet(tmp_path / "trace.parquet").filter(pl.col("timestamp") < alarm["timestamp"])
    rows.write_parquet(tmp_path / "cut.parquet")
    scan(tmp_path / "cut.parquet", out=short)
    assert pl.read_parquet(short).to_dicts() == [alarm]


def test_a_calm_trace_gives_a_file_without_alarms(tmp_path: Path) -> None:
    out = tmp_path / "alarms.parquet"
    trace = write(tmp_path / "trace.parquet", days=9)
    scan(trace, out=out)
    found = pl.read_parquet(out)
    assert found.is_empty()
    assert found.columns == ["server", "metric", "timestamp", "kind", "statistic", "value", "threshold", "since"]


def test_a_cadence_that_does_not_divide_an_hour_is_averaged_into_steps_that_do(tmp_path: Path) -> None:
    out = tmp_path / "alarms.parquet"
    scan(write(tmp_path / "trace.parquet", days=12, step=1700), out=out)
    assert pl.read_parquet(out)["server"].to_list() == ["s1"]


def test_a_trace_of_three_days_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="spans 72 h: drift needs a reference of 72 h and something after it"):
        scan(write(tmp_path / "trace.parquet", days=3), out=tmp_path / "alarms.parquet")


def test_a_trace_of_one_sample_a_day_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="86400 s apart; drift is tested by the hour"):
        scan(write(tmp_path / "trace.parquet", days=9, step=86_400), out=tmp_path / "alarms.parquet")


def labels(file: Path) -> Path:
    end = START + timedelta(days=14)
    begin = START + timedelta(days=7)
    rows = [
        ("a", "level", ONSET, begin, end),
        ("b", "level", ONSET, begin, end),
        ("c", "level", ONSET, begin, end),
        ("d", "none", None, begin, end),
        ("e", "none", None, begin, end),
    ]
    columns = ("server", "kind", "onset", "begin", "end")
    pl.DataFrame(rows, schema=columns, orient="row").write_parquet(file)
    return file


def alarms(file: Path) -> Path:
    rows = [
        ("a", ONSET + timedelta(hours=6), "level"),
        ("a", ONSET + timedelta(hours=90), "trend"),
        ("b", ONSET - timedelta(hours=1), "trend"),
        ("b", ONSET + timedelta(hours=1), "level"),
        ("d", START + timedelta(days=8), "variance"),
        ("e", START + timedelta(days=1), "variance"),
    ]
    pl.DataFrame(rows, schema=("server", "timestamp", "kind"), orient="row").write_parquet(file)
    return file


def test_only_the_first_alarm_of_the_watched_span_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(alarms(tmp_path / "a.parquet"), labels(tmp_path / "l.parquet"), as_json=True)
    found = json.loads(capsys.readouterr().out)
    level, none = found["kinds"]
    assert (level["drifts"], level["found"], level["false_alarms"]) == (3, 1, 1)
    assert level["median_delay_hours"] == 6
    assert level["told_as"] == {"level": 1}
    assert (none["drifts"], none["found"], none["false_alarms"]) == (0, 0, 1)
    assert none["false_per_server_week"] == pytest.approx(0.5)
    assert level["false_per_server_week"] == pytest.approx(1 / (3 * 2 / 7))
    assert found["all"]["false_alarms"] == 2


def test_the_table_has_a_row_per_kind_and_one_of_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(alarms(tmp_path / "a.parquet"), labels(tmp_path / "l.parquet"))
    told = capsys.readouterr().out
    assert [line.split()[1] for line in told.splitlines() if line.startswith("│")] == ["level", "none", "all"]
    assert "6.0 h" in told


def test_labels_without_a_span_are_refused(tmp_path: Path) -> None:
    pl.DataFrame({"server": ["a"], "kind": ["level"], "onset": [ONSET]}).write_parquet(tmp_path / "l.parquet")
    with pytest.raises(ConfigurationError, match="no column begin, end"):
        evaluate(alarms(tmp_path / "a.parquet"), tmp_path / "l.parquet")


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="needs the drift streams beside the repository")
def test_the_development_streams_are_found_and_the_calm_ones_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def at(step: pl.Expr) -> pl.Expr:
        return pl.lit(START) + pl.duration(seconds=300) * step.cast(pl.Int64)

    streams = pl.read_parquet(SHARED / "streams.parquet").rename({"stream_id": "server"})
    streams.with_columns(timestamp=at(pl.col("step"))).drop("step").write_parquet(tmp_path / "trace.parquet")
    pl.read_parquet(SHARED / "labels.parquet").select(
        "kind",
        server="stream_id",
        onset=pl.when("is_drift").then(at(pl.col("onset_step"))),
        begin=at(pl.lit(2016)),
        end=at(pl.lit(4032)),
    ).write_parquet(tmp_path / "labels.parquet")
    scan(tmp_path / "trace.parquet", out=tmp_path / "alarms.parquet")
    capsys.readouterr()
    evaluate(tmp_path / "alarms.parquet", tmp_path / "labels.parquet", as_json=True)
    found = json.loads(capsys.readouterr().out)
    calm = {row["kind"]: row["false_alarms"] for row in found["kinds"] if not row["drifts"]}
    assert found["all"]["found"] >= 95
    assert np.float64(found["all"]["median_delay_hours"]) <= 24
    assert calm["none_screened"] <= 1
    assert calm["incident"] <= 2
