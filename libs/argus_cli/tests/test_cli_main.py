"""The `argus` command as a whole, and the commands that only call others."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from argus_cli.backtest import backtest
from argus_cli.main import COMMANDS
from argus_common.errors import ConfigurationError


def argus(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "argus_cli.main", *arguments],
        env=os.environ | {"COLUMNS": "160", "TERM": "dumb"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_overview_lists_every_command_with_what_it_does() -> None:
    shown = argus("--help").stdout
    for name, (_, summary) in COMMANDS.items():
        assert name in shown
        assert summary in shown


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_explains_itself(command: str) -> None:
    done = argus(command, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout


def test_an_unknown_command_is_refused() -> None:
    done = argus("nonsense")
    assert done.returncode == 2
    assert "No such command 'nonsense'" in done.stderr


def test_the_overview_does_not_load_what_it_lists() -> None:
    code = "import sys, argus_cli.main; sys.exit('polars' in sys.modules or 'aiokafka' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_topics_are_listed_with_key_partitions_and_retention() -> None:
    shown = argus("topics", "list").stdout
    assert "argus.predictions.v1" in shown
    assert "48 h" in shown


def test_wrong_settings_are_told_in_one_line_with_exit_code_2() -> None:
    done = argus("topics", "provision", ARGUS_KAFKA_SESSION_TIMEOUT="1")
    assert done.returncode == 2
    assert "ARGUS_KAFKA_SESSION_TIMEOUT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broker_that_does_not_answer_is_told_in_one_line_with_exit_code_1() -> None:
    done = argus("topics", "provision", ARGUS_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Three servers, four days of CPU with a rhythm."""
    steps, rng = 1152, np.random.default_rng(1)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    frames = [
        pl.DataFrame(
            {
                "server": [f"s{i}"] * steps,
                "timestamp": [start + timedelta(minutes=5 * k) for k in range(steps)],
                "cpu_used_pct": np.clip(65 + 25 * np.sin(np.arange(steps) / 46 + i) + rng.normal(0, 3, steps), 0, 100),
            }
        )
        for i in range(3)
    ]
    file = tmp_path / "trace.parquet"
    pl.concat(frames).write_parquet(file)
    return file


def test_a_backtest_writes_its_scores_and_plots(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, plots = tmp_path / "scores.json", tmp_path / "plots"
    backtest(trace, horizon=24, every=24, out=out, plots=plots)
    scores = json.loads(out.read_text())["metrics"]["cpu_used_pct"]
    assert scores["windows"] == 3 * 23
    assert scores["forecasters"]["statistical"]["wql"] < scores["baselines"]["naive"]["wql"]
    assert (plots / "cpu_used_pct.png").stat().st_size > 10_000
    assert "relative" in capsys.readouterr().out


def test_a_backtest_without_enough_history_says_what_to_try(trace: Path) -> None:
    with pytest.raises(ConfigurationError, match="try --horizon or --every"):
        backtest(trace, horizon=2000)
