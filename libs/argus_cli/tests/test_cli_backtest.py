"""``argus backtest``: tables that fit, a document that can be read, pictures, and a cadence that is replayed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from argus_cli.backtest import backtest
from argus_common.errors import ConfigurationError

STEPS = 11 * 288
START = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three servers whose CPU passes 90 % every day."""
    rng = np.random.default_rng(1)
    times = [START + timedelta(minutes=5 * k) for k in range(STEPS)]
    frames = []
    for i in range(3):
        wave = 60 + 38 * np.sin(np.arange(STEPS) / 144 * np.pi + i)
        cpu = np.clip(wave + rng.normal(0, 2, STEPS), 0, 100)
        frames.append(
            pl.DataFrame({"server": f"s{i}", "timestamp": times, "cpu_used_pct": cpu, "queue_length": cpu**2})
        )
    file = tmp_path_factory.mktemp("trace") / "trace.parquet"
    pl.concat(frames).write_parquet(file)
    return file


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def test_warnings_are_scored_beside_lines_and_yesterday(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, plots = tmp_path / "scores.json", tmp_path / "plots"
    backtest(trace, metric=["cpu_used_pct"], every=96, warnings=True, out=out, plots=plots)
    told = capsys.readouterr().out
    assert max(len(line) for line in told.splitlines() if "Wrote" not in line and str(tmp_path) not in line) <= 100
    assert "…" not in told
    found = json.loads(out.read_text(), parse_constant=refuse)["metrics"]["cpu_used_pct"]
    assert found["warnings"]["predict_linear[30m]"]["events"] == found["warnings"]["statistical p ≥ 0.5"]["events"] > 1
    assert found["warnings"]["statistical p ≥ 0.3"]["recall"] > 0.8
    for name in ("cpu_used_pct.png", "cpu_used_pct.warnings.png"):
        assert (plots / name).read_bytes().startswith(b"\x89PNG")


def test_a_metric_without_a_limit_is_never_warned_of(trace: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    backtest(trace, metric=["queue_length"], every=200, warnings=True, out=out)
    found = json.loads(out.read_text(), parse_constant=refuse)["metrics"]["queue_length"]
    assert "warnings" not in found
    assert found["limit"] is None


def test_a_cadence_is_replayed_without_looking_ahead(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def scores(file: Path) -> list[dict[str, object]]:
        out = tmp_path / "scores.json"
        backtest(
            file, metric=["cpu_used_pct"], horizon=24, every=48, retrain_every=2, retrain_steps=1, out=out,
            plots=tmp_path / "plots",
        )  # fmt: skip
        found = json.loads(out.read_text(), parse_constant=refuse)["metrics"]["cpu_used_pct"]
        assert set(found["forecasters"]) == {"model", "statistical"}
        assert set(found["relative"]["model"]) == {"statistical", "seasonal naive"}
        stretches: list[dict[str, object]] = found["stretches"]
        return stretches

    whole = scores(trace)
    assert [stretch["begin"] for stretch in whole] == [f"2025-01-{day:02d} 12:00" for day in (6, 8, 10)]
    assert (tmp_path / "plots" / "cpu_used_pct.retraining.png").exists()
    assert "trained until" in capsys.readouterr().out
    cpu, known = pl.col("cpu_used_pct"), pl.col("timestamp") < START + timedelta(days=8)
    pl.read_parquet(trace).with_columns(pl.when(known).then(cpu).otherwise(100 - cpu)).write_parquet(
        tmp_path / "another_future.parquet"
    )
    other = scores(tmp_path / "another_future.parquet")
    assert other[0] == whole[0]
    assert other[1] != whole[1]


def test_a_cadence_trains_models_of_its_own(trace: Path) -> None:
    with pytest.raises(ConfigurationError, match="leave --model and --statistical out"):
        backtest(trace, retrain_every=1, statistical=True)
