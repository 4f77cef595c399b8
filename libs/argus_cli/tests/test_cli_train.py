"""``argus train`` as a user types it, and what can be done with what it writes."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from argus_cli.trace_frame import with_derived
from argus_common.errors import ConfigurationError, ModelUnavailableError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.exclusions import excluded_steps
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.trained.artefact import read_manifest
from argus_forecasting.training.presets import TrainingSettings
from argus_forecasting.training.run import with_steps

STEPS = 9 * 288
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    times = [BEGIN + timedelta(minutes=5 * i) for i in range(STEPS)]
    frames = []
    for server in ("a", "b", "c"):
        idle = np.clip(60 + 20 * np.sin(np.arange(STEPS) / 288 * 2 * np.pi) + rng.normal(0, 4, STEPS), 0, 100)
        frames.append(pl.DataFrame({"server": server, "timestamp": times, "cpu_idle_pct": idle, "mem_used_pct": 40.0}))
    file = tmp_path_factory.mktemp("trace") / "trace.parquet"
    pl.concat(frames).write_parquet(file)
    return file


def argus(*words: str | Path) -> str:
    import typer  # noqa: PLC0415

    from argus_cli.forecast import forecast  # noqa: PLC0415
    from argus_cli.train import train_command  # noqa: PLC0415

    app = typer.Typer()
    app.command("train")(train_command)
    app.command("forecast")(forecast)
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_a_trained_version_is_told_of_and_forecasts(trace: Path, tmp_path: Path) -> None:
    told = argus("train", trace, "--models", tmp_path, "--name", "web", "--version", "1", "--steps", "2")
    place = tmp_path / "web" / "1"
    written = {"model.safetensors", "manifest.json", "card.md", "cpu_used_pct.png", "mem_used_pct.png"}
    assert {file.name for file in place.iterdir()} == written
    assert "cpu_used_pct" in told
    assert "statistical" in told
    assert "card.md" in told.replace("\n", "")
    out = tmp_path / "forecast.parquet"
    argus("forecast", trace, "--every", "500", "--horizon", "12", "--model", place, "--out", out)
    rows = pl.read_parquet(out)
    assert {"cpu_used_pct", "mem_used_pct"} <= set(rows["metric"].unique())
    assert rows.select(pl.col("q0.5").is_finite().all()).item()


def test_a_version_is_never_overwritten(trace: Path, tmp_path: Path) -> None:
    (tmp_path / "web" / "1").mkdir(parents=True)
    (tmp_path / "web" / "1" / "manifest.json").write_text("{}")
    with pytest.raises(Exception, match="versions never change"):
        argus("train", trace, "--models", tmp_path, "--name", "web", "--version", "1", "--steps", "1")


def test_an_unknown_preset_is_answered_with_those_there_are(trace: Path) -> None:
    with pytest.raises(ConfigurationError, match="--family tft --preset small"):
        argus("train", trace, "--preset", "huge")


def test_model_and_statistical_together_are_refused(trace: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="either --model or --statistical"):
        argus("forecast", trace, "--every", "500", "--statistical", "--model", tmp_path, "--out", tmp_path / "x")


def test_derived_metrics_are_computed_where_the_trace_lacks_them() -> None:
    rows = pl.DataFrame({"server": ["a", "a"], "timestamp": [0, 300_000], "cpu_idle_pct": [30.0, None]})
    assert with_derived(rows, DEFAULT_CATALOGUE)["cpu_used_pct"].to_list() == [70.0, None]
    own = rows.with_columns(cpu_used_pct=pl.lit(1.0))
    assert with_derived(own, DEFAULT_CATALOGUE)["cpu_used_pct"].to_list() == [1.0, 1.0]


def test_spans_are_excluded_for_one_server_or_for_all() -> None:
    rows = pl.DataFrame({"server": ["a"] * 4 + ["b"] * 4, "timestamp": [0, 300_000, 600_000, 900_000] * 2, "x": 1.0})
    store = TraceStore.of(rows, 300)
    spans = pl.DataFrame(
        {
            "server": ["a", None, "gone"],
            "begin": [datetime(1970, 1, 1, 0, 5), datetime(1970, 1, 1, 0, 15), datetime(1970, 1, 1)],  # noqa: DTZ001
            "end": [datetime(1970, 1, 1, 0, 9), datetime(1970, 1, 1, 0, 20), datetime(1970, 1, 2)],  # noqa: DTZ001
        }
    )
    assert excluded_steps(spans, store).tolist() == [[False, True, False, True], [False, False, False, True]]
    with pytest.raises(ConfigurationError, match="no column begin, end"):
        excluded_steps(spans.select("server"), store)


@pytest.mark.parametrize("steps", [1, 7, 100, 10_000])
def test_fewer_steps_take_fewer_windows_and_are_validated(steps: int) -> None:
    settings = with_steps(TrainingSettings(), steps)
    assert settings.batch <= settings.pool <= TrainingSettings().pool
    assert settings.validate_every <= steps
    assert with_steps(TrainingSettings(), None) == TrainingSettings()


def models(*words: str | Path) -> str:
    from argus_cli.models import app  # noqa: PLC0415

    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_versions_are_listed_shown_and_verified(trace: Path, tmp_path: Path) -> None:
    argus("train", trace, "--models", tmp_path, "--name", "web", "--version", "1", "--steps", "1")
    (tmp_path / "web" / "2").mkdir()
    (tmp_path / "web" / "2" / "manifest.json").write_text("nonsense")
    told = models("list", "--models", tmp_path)
    assert "residual" in told
    assert "JSON" in told
    assert "Scores on the validation part" in models("show", tmp_path / "web" / "1")
    assert "can be trusted" in models("verify", tmp_path / "web" / "1")
    weights = tmp_path / "web" / "1" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelUnavailableError, match="altered"):
        models("verify", tmp_path / "web" / "1")


def test_an_empty_store_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="argus train"):
        models("list", "--models", tmp_path)


def test_notes_are_part_of_the_card_and_of_what_is_verified(trace: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("## Data\n\nSimulated.")
    argus("train", trace, "--models", tmp_path, "--name", "web", "--version", "1", "--steps", "1", "--notes", notes)
    card = tmp_path / "web" / "1" / "card.md"
    assert card.read_text().endswith("## Data\n\nSimulated.\n")
    card.write_text(card.read_text() + "better than it is")
    with pytest.raises(ModelUnavailableError, match=r"card\.md: sha256 .* altered"):
        models("verify", tmp_path / "web" / "1")


def test_an_archive_of_many_files_is_trained_on(trace: Path, tmp_path: Path) -> None:
    rows = pl.read_parquet(trace).with_columns(pl.col("timestamp").dt.date().alias("date"))
    for (date,), part in rows.group_by("date"):
        place = tmp_path / "archive" / "fleet=eu" / f"date={date}"
        place.mkdir(parents=True)
        part.drop("date").write_parquet(place / "0.parquet")
    argus("train", tmp_path / "archive", "--models", tmp_path, "--name", "web", "--version", "1", "--steps", "1")
    whole = tmp_path / "whole"
    argus("train", trace, "--models", whole, "--name", "web", "--version", "1", "--steps", "1")
    of_archive, of_file = (read_manifest(place / "web" / "1") for place in (tmp_path, whole))
    assert of_archive.training["data_fingerprint"] == of_file.training["data_fingerprint"]


@pytest.mark.slow
def test_two_processes_train_one_model_by_lightnings_own_flags(trace: Path, tmp_path: Path) -> None:
    words = ["--models", str(tmp_path), "--name", "web", "--version", "1", "--steps", "4", "--accelerator", "cpu"]
    done = subprocess.run(
        [Path(sys.executable).with_name("argus"), "train", str(trace), *words, "--devices", "2"],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Wrote ") == 1
    assert read_manifest(tmp_path / "web" / "1").training["steps"] == 4
