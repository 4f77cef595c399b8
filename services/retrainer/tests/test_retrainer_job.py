"""A job's process and its folder; what ends it without a version."""

import subprocess
import sys
from pathlib import Path

import pytest
from argus_site import until
from retrainer_archive import fill_archive, fleet

from argus_common.clock import ManualClock
from argus_common.errors import ConfigurationError
from argus_common.events import GateResult, TrainingCause, TrainingStarted
from argus_retrainer.adapters.local_launcher import LocalLauncher
from argus_retrainer.domain.spans import Span
from argus_retrainer.job.files import JobFolder, JobOrder, JobProgress, JobResult
from argus_retrainer.orders import order
from argus_retrainer.settings import RetrainerSettings

HOLD = """
import fcntl, os, sys, time
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.write(str(os.getpid()))
lock.flush()
print(flush=True)
time.sleep(600)
"""
CAUSE = TrainingCause(kind="age", id="age/fleet/first", asked_ms=0)
TRAINING = TrainingStarted(model="fleet", version="1", causes=[CAUSE], started_ms=1_735_689_600_000)


def ordered(tmp_path: Path, **more: object) -> JobOrder:
    given = {"archive": str(tmp_path / "archive"), "models": tmp_path / "models", "work": tmp_path / "work", **more}
    return order(RetrainerSettings.model_validate(given), TRAINING)


def run(tmp_path: Path, asked: JobOrder) -> JobResult:
    from argus_retrainer.job.work import work  # noqa: PLC0415 - torch takes seconds

    folder = JobFolder(tmp_path / "work" / "1")
    folder.write_order(asked)
    return work(folder, asked, ManualClock())


def test_what_is_written_in_a_folder_is_read_as_it_was(tmp_path: Path) -> None:
    folder, asked = JobFolder(tmp_path / "work" / "1"), ordered(tmp_path)
    assert (folder.place.exists(), folder.order(), folder.result(), folder.gate(), folder.launches()) == (
        False,
        None,
        None,
        None,
        0,
    )
    folder.write_spans({Span("eu", "", 0, 9)})
    folder.write_order(asked)
    folder.count_launch()
    folder.write_progress(JobProgress("training", 1, 2, 0.5))
    gate = GateResult(passed=True, held_out_from_ms=0, held_out_until_ms=1, windows=1, servers=1, checks=[])
    folder.write_gate(gate)
    result = JobResult(outcome="passed", ended_ms=1, gate=gate)
    folder.write_result(result)
    assert (folder.order(), folder.progress(), folder.gate(), folder.result(), folder.launches()) == (
        asked,
        JobProgress("training", 1, 2, 0.5),
        gate,
        result,
        1,
    )
    (folder.place / "trace").mkdir()
    folder.clear()
    assert not (folder.place / "trace").exists()
    assert folder.order() == asked


@pytest.mark.parametrize("text", ["{", "[]", '{"model": 1}'])
def test_a_file_that_is_no_order_is_told_by_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "order.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"order\.json: not"):
        JobFolder(tmp_path).order()


def test_a_file_that_is_no_result_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(ConfigurationError, match=r"result\.json: not a result"):
        JobFolder(tmp_path).result()


def test_without_a_model_store_nothing_can_be_ordered() -> None:
    with pytest.raises(ConfigurationError, match="ARGUS_RETRAINER_MODELS"):
        order(RetrainerSettings(), TRAINING)


def test_an_empty_archive_ends_a_training_with_what_is_missing(tmp_path: Path) -> None:
    result = run(tmp_path, ordered(tmp_path))
    assert (result.outcome, result.reason) == ("failed", "data")
    assert result.detail.endswith("the archive is empty")


def test_too_few_days_end_a_training_with_how_many_there_are(tmp_path: Path) -> None:
    fill_archive(tmp_path / "archive", fleet(1, 4))
    result = run(tmp_path, ordered(tmp_path))
    assert (result.reason, result.detail) == ("data", "4.0 days are too few to hold 2 out for the gate")


def test_an_archive_without_a_target_ends_a_training(tmp_path: Path) -> None:
    fill_archive(tmp_path / "archive", fleet(1, 9).drop("cpu_idle_pct"))
    assert run(tmp_path, ordered(tmp_path)).detail.startswith("the archive has none of the catalogue's targets")


def test_an_unknown_family_ends_a_training(tmp_path: Path) -> None:
    fill_archive(tmp_path / "archive", fleet(1, 9))
    assert "no preset" in run(tmp_path, ordered(tmp_path, family="oracle")).detail


async def test_a_job_without_an_order_ends_at_once(tmp_path: Path) -> None:
    launcher = LocalLauncher(tmp_path)
    (tmp_path / "1").mkdir()
    assert not await launcher.runs("1")
    await launcher.launch("1")
    assert await launcher.runs("1")
    assert launcher._started["1"].wait(60) == 2
    assert not await launcher.runs("1")
    await launcher.cancel("1")


async def test_a_job_that_another_retrainer_started_is_found_and_ended_with_its_children(tmp_path: Path) -> None:
    place = tmp_path / "1"
    place.mkdir()
    held = subprocess.Popen(  # noqa: ASYNC220 - it is to run beside the test
        [sys.executable, "-c", HOLD, str(place / "job.lock")], stdout=subprocess.PIPE, start_new_session=True
    )
    assert held.stdout is not None
    held.stdout.readline()
    launcher = LocalLauncher(tmp_path)
    assert await launcher.runs("1")
    await launcher.launch("1")
    assert launcher._started["1"].wait(60) == 3, "a second job of the same folder does nothing"
    await launcher.cancel("1")
    assert held.wait(10) == -9
    held.stdout.close()
    assert not await launcher.runs("1")


async def test_a_job_ends_when_it_is_cancelled(tmp_path: Path) -> None:
    fill_archive(tmp_path / "archive", fleet(2, 9))
    folder = JobFolder(tmp_path / "work" / "1")
    folder.write_order(ordered(tmp_path))
    launcher = LocalLauncher(tmp_path / "work")
    await launcher.launch("1")
    until(lambda: folder.progress().stage != "", f"the job to begin: {folder.tail()}")
    await launcher.cancel("1")
    assert not await launcher.runs("1")
    assert folder.result() is None
