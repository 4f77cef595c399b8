"""``argus archive`` as a user types it."""

from pathlib import Path

import polars as pl
import pytest
from retrainer_site import STEP, window
from typer.testing import CliRunner

from argus_cli.archive import app
from argus_common.errors import ConfigurationError
from argus_retrainer.adapters.object_folder import ObjectFolder
from argus_retrainer.adapters.parquet_archive import ParquetArchive
from argus_retrainer.domain.buffer import Held


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    windows = [window(server, STEP + step) for step in (0, 1, 600) for server in ("a", "b")]
    ParquetArchive(ObjectFolder(str(folder))).add(0, Held(0, 5, windows))
    return folder


def argus(*words: str | Path) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "120"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_the_archive_says_what_it_holds(place: Path) -> None:
    (line,) = [line for line in argus("info", "--archive", place).splitlines() if "default" in line]
    cells = [cell.strip() for cell in line.split("│")[1:-1]]
    assert cells[:8] == ["default", "300 s", "2025-01-01", "2025-01-03", "2", "1", "2", "2"]


def test_a_trace_of_chosen_days_is_exported(place: Path, tmp_path: Path) -> None:
    told = argus("export", tmp_path / "month", "--archive", place, "--until", "2025-01-01")
    assert "4 windows of 1 days" in told.replace("\n", "")
    (file,) = (tmp_path / "month").rglob("*.parquet")
    assert pl.read_parquet(file, hive_partitioning=False)["server"].to_list() == ["a", "a", "b", "b"]


def test_an_empty_place_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="argus run retrainer fills it"):
        argus("info", "--archive", tmp_path)
