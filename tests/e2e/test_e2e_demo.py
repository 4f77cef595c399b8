"""The demo, as a user starts it."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest


@pytest.mark.stack
def test_the_demo_runs_by_itself_ends_with_its_summary_and_leaves_nothing_behind(tmp_path: Path) -> None:
    before = {process.pid for process in psutil.process_iter()}
    command = [sys.executable, "-m", "argus_cli.main", "demo", "--seconds", "20", "--servers", "7"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "160", "TERM": "dumb"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "First forecast of every server on screen" in done.stdout
    assert "forecasts of 7 servers in 20 s" in done.stdout
    left = [p for p in psutil.process_iter(["pid", "cmdline"]) if p.pid not in before and _ours(p)]
    assert left == []
    assert list(tmp_path.iterdir()) == []


def _ours(process: psutil.Process) -> bool:
    line = " ".join(process.info["cmdline"] or [])
    return any(name in line for name in ("argus-demo", "argus-stack-"))
