"""``argus cascades replay --out``: the events of a trace in which a failure spreads."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from typer.testing import CliRunner

from argus_cli.cascades import app

START = datetime(2025, 1, 6, tzinfo=UTC)
STEPS, BEGIN = 900, 800


def trace(steps: int = STEPS) -> pl.DataFrame:
    """Twelve servers; from `BEGIN` on db1 waits for its disk, then web1, web2 and web3 do."""
    rng = np.random.default_rng(3)
    names = ["db1", "web1", "web2", "web3", *(f"other{i}" for i in range(8))]
    frames = []
    for name in names:
        busy = 30 + 3 * rng.normal(size=STEPS)
        if name in names[:4]:
            busy[BEGIN + 2 * names.index(name) : BEGIN + 40] += 40
        times = [START + timedelta(seconds=300 * i) for i in range(STEPS)]
        frames.append(pl.DataFrame({"server": name, "timestamp": times, "cpu_iowait_pct": busy}).head(steps))
    return pl.concat(frames)


def events(tmp_path: Path, rows: pl.DataFrame) -> list[dict[str, object]]:
    rows.write_parquet(tmp_path / "trace.parquet")
    pl.DataFrame({"source": ["web1", "web2", "web3"], "target": ["db1"] * 3}).write_parquet(tmp_path / "edges.parquet")
    done = CliRunner().invoke(
        app,
        [
            "replay", str(tmp_path / "trace.parquet"), "--edges", str(tmp_path / "edges.parquet"),
            "--out", str(tmp_path / "events.jsonl"),
        ],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]


def test_a_failure_that_spreads_is_told_from_its_opening_to_its_end(tmp_path: Path) -> None:
    told = [one for one in events(tmp_path, trace()) if one["step"] >= int(START.timestamp()) // 300 + BEGIN]  # type: ignore[operator]
    assert told[0]["type"] == "io.argus.cascade.opened.v1"
    assert told[-1]["type"] == "io.argus.cascade.resolved.v1"
    members = {member["server"] for member in told[-1]["members"]}  # type: ignore[attr-defined]
    assert members == {"db1", "web1", "web2", "web3"}
    assert told[-1]["origins"][0]["server"] == "db1"  # type: ignore[index]


def test_what_is_told_depends_on_nothing_later(tmp_path: Path) -> None:
    whole = events(tmp_path, trace())
    cut = events(tmp_path, trace(BEGIN + 8))
    assert len(cut) > 0
    assert whole[: len(cut)] == cut


def test_there_must_be_something_to_write(tmp_path: Path) -> None:
    trace(20).write_parquet(tmp_path / "trace.parquet")
    done = CliRunner().invoke(app, ["replay", str(tmp_path / "trace.parquet")])
    assert "nothing to write" in str(done.exception)
    assert done.exit_code == 1
