"""The archive on disk and in an object store."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from retrainer_site import STEP, archived, window

from argus_common.errors import ConfigurationError, TransientError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.archive import Archive, open_store
from argus_retrainer.adapters.export import Wanted, export
from argus_retrainer.adapters.object_folder import ObjectFolder
from argus_retrainer.adapters.parquet_archive import ParquetArchive
from argus_retrainer.domain.archive_day import Day
from argus_retrainer.domain.buffer import Held

DAY = Day(300, "default", date(2025, 1, 1))
PLACES = ["{tmp}/archive", "file://{tmp}/archive", "mock:///archive"]


def held(first: int, *steps: int, server: str = "a", fleet: str = "default") -> Held:
    windows = [window(server, STEP + step, fleet) for step in steps]
    return Held(first, first + len(steps) - 1, windows)


class Dying(ObjectFolder):
    """A folder whose owner is killed before the next deletion."""

    def delete(self, path: str) -> None:
        raise KeyboardInterrupt(path)


@pytest.fixture(params=PLACES, ids=["folder", "uri", "object store"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectFolder:
    return ObjectFolder(request.param.format(tmp=tmp_path))


def test_a_file_is_there_whole_and_can_be_deleted_twice(folder: ObjectFolder) -> None:
    assert folder.list() == []
    folder.put("a/b.parquet", b"one")
    folder.put("a/b.parquet", b"two!")
    assert [(file.path, file.size) for file in folder.list()] == [("a/b.parquet", 4)]
    assert folder.get("a/b.parquet") == b"two!"
    folder.delete("a/b.parquet")
    folder.delete("a/b.parquet")
    with pytest.raises(FileNotFoundError):
        folder.get("a/b.parquet")


def test_windows_are_read_as_they_were_written_and_once_however_often(folder: ObjectFolder) -> None:
    archive = ParquetArchive(folder)
    assert archive.add(0, held(10, 0, 1, 2)) == 1
    assert archive.add(0, held(10, 0, 1, 2)) == 1
    assert archive.add(0, held(11, 1, 2, 3)) == 1
    ((day, found),) = archive.days().items()
    assert (day, len(found.files)) == (DAY, 2)
    table = archive.read(day, found.files)
    assert table is not None
    assert table["cpu_idle_pct"].to_list() == [float((STEP + i) % 97) for i in range(4)]


def test_a_compacted_day_holds_the_same_in_one_file(folder: ObjectFolder) -> None:
    archive = ParquetArchive(folder)
    for first in (0, 2, 4):
        archive.add(0, held(first, first, first + 1, first + 2))
    files = archive.days()[DAY].files
    before = archive.read(DAY, files)
    assert archive.compact(DAY, files)
    (name,) = archive.days()[DAY].files
    after = archive.read(DAY, (name,))
    assert before is not None
    assert after is not None
    assert_frame_equal(after, before)
    archive.add(0, held(7, 7))
    assert len(archive.days()[DAY].files) == 2, "a window that comes late goes beside it"


def test_killed_between_compacting_and_deleting_nothing_is_lost_or_twice(tmp_path: Path) -> None:
    archive = ParquetArchive(ObjectFolder(str(tmp_path)))
    for first in (0, 2):
        archive.add(0, held(first, first, first + 1))
    before = archived(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        ParquetArchive(Dying(str(tmp_path))).compact(DAY, archive.days()[DAY].files)
    assert len(archive.days()[DAY].files) == 3
    assert_frame_equal(archived(tmp_path), before)
    assert archive.compact(DAY, archive.days()[DAY].files)
    assert_frame_equal(archived(tmp_path), before)


def test_two_that_compact_a_day_at_once_lose_nothing(tmp_path: Path) -> None:
    archive = ParquetArchive(ObjectFolder(str(tmp_path)))
    archive.add(0, held(0, 0))
    archive.add(0, held(1, 1))
    seen_early = archive.days()[DAY].files
    archive.add(0, held(2, 2))
    early = archive.read(DAY, seen_early)
    assert archive.compact(DAY, archive.days()[DAY].files)
    assert early is not None
    archive._put(f"{DAY.folder}/whole-early.parquet", early)
    archive.drop(DAY, seen_early)
    assert archived(tmp_path).height == 3
    assert not archive.compact(DAY, seen_early), "the files are gone, so it is left to the next look"
    assert archived(tmp_path).height == 3


def test_a_file_of_the_archive_that_is_none_is_told_by_its_name(tmp_path: Path) -> None:
    folder = ObjectFolder(str(tmp_path))
    folder.put(f"{DAY.folder}/piece-x.parquet", b"nonsense")
    archive = ParquetArchive(folder)
    with pytest.raises(ConfigurationError, match=r"date=2025-01-01/piece-x.parquet: not a Parquet file"):
        archive.read(DAY, archive.days()[DAY].files)


def test_an_unknown_kind_of_store_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match="gopher://x"):
        ObjectFolder("gopher://x")


def test_a_store_that_can_not_be_written_is_unwell(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TransientError, match="writing a/b failed"):
        ObjectFolder(str(tmp_path / "file")).put("a/b", b"")


def test_an_exported_trace_is_what_training_reads(tmp_path: Path) -> None:
    archive = ParquetArchive(ObjectFolder(str(tmp_path / "archive")))
    archive.add(0, held(0, *range(280, 300)))
    archive.add(1, held(0, *range(280, 300), server="b", fleet="eu/west"))
    archive.add(0, held(5, *range(285, 305)))
    days = Wanted().of(archive.days())
    seen: list[int] = []
    assert export(archive, days, tmp_path / "trace", lambda: seen.append(1)) == 45
    assert len(seen) == 4
    store = open_store(Archive.at(tmp_path / "trace"), None, tmp_path / "array", DEFAULT_CATALOGUE)
    assert (store.servers, store.step_seconds, store.first_step, store.length) == (("a", "b"), 300, STEP + 280, 25)
    assert store.values[0, store.metric("cpu_used_pct"), 0] == 100 - (STEP + 280) % 97
    with pytest.raises(ConfigurationError, match="exists"):
        export(archive, days, tmp_path / "trace", lambda: None)


def test_the_archive_itself_is_a_trace_too(tmp_path: Path) -> None:
    archive = ParquetArchive(ObjectFolder(str(tmp_path / "archive")))
    archive.add(0, held(0, 0, 1, 2))
    archive.add(0, held(1, 1, 2, 3))
    store = open_store(Archive.at(tmp_path / "archive"), None, tmp_path / "array", DEFAULT_CATALOGUE)
    assert store.values[0, store.metric("cpu_idle_pct")].tolist() == [float((STEP + i) % 97) for i in range(4)]


def test_days_are_chosen_by_fleet_and_date_and_steps_are_not_mixed(tmp_path: Path) -> None:
    archive = ParquetArchive(ObjectFolder(str(tmp_path)))
    archive.add(0, held(0, 0, 288, 576))
    archive.add(0, held(9, 0, fleet="eu"))
    days = archive.days()
    chosen = Wanted(fleet="default", since=date(2025, 1, 2), until=date(2025, 1, 2)).of(days)
    assert [day.date for day in chosen] == [date(2025, 1, 2)]
    with pytest.raises(ConfigurationError, match="its fleets: default, eu"):
        Wanted(fleet="asia").of(days)
    mixed = days | {Day(60, "eu", date(2025, 1, 1)): next(iter(days.values()))}
    with pytest.raises(ConfigurationError, match=r"\[60, 300\] seconds: choose one with --step"):
        Wanted().of(mixed)
    assert len(Wanted(step_seconds=60).of(mixed)) == 1


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)), min_size=1, max_size=6))
def test_whatever_is_written_and_compacted_every_window_is_there_once(spans: list[tuple[int, int]]) -> None:
    archive = ParquetArchive(ObjectFolder("mock:///archive"))
    wanted: set[int] = set()
    for number, (begin, length) in enumerate(spans):
        archive.add(0, held(begin, *range(begin, begin + length)))
        wanted |= set(range(begin, begin + length))
        if number % 2:
            archive.compact(DAY, archive.days()[DAY].files)
    table = archive.read(DAY, archive.days()[DAY].files)
    assert table is not None
    steps = [int(moment.timestamp()) // 300 - STEP for moment in table["timestamp"].to_list()]
    assert steps == sorted(wanted)
