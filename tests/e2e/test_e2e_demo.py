"""The demo, as a user starts it."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest


@pytest.mark.stack
def test_the_demo_runs_by_itself_ends_with_its_summary_and_leaves_nothing_behind(tmp_path: Path) -> None:
    here, scratch = tmp_path / "here", tmp_path / "scratch"
    here.mkdir()
    scratch.mkdir()
    command = [sys.executable, "-m", "argus_cli.main", "demo", "--seconds", "20", "--servers", "7"]
    done = subprocess.run(
        command,
        cwd=here,
        env=os.environ | {"COLUMNS": "160", "TERM": "dumb", "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "First forecast of every server on screen" in done.stdout
    assert "forecasts of 7 servers in 20 s" in done.stdout
    assert [p for p in psutil.process_iter(["cmdline"]) if str(scratch) in " ".join(p.info["cmdline"] or [])] == []
    assert [*here.iterdir(), *scratch.iterdir()] == []
