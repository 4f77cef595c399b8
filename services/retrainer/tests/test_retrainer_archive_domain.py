"""Where windows belong in the archive, and that it holds each of them once however it was written."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from retrainer_site import STEP, window

from argus_retrainer.domain.archive_day import Day
from argus_retrainer.domain.archive_names import in_order, piece, whole
from argus_retrainer.domain.archive_rows import mark, merged, rows_by_day
from argus_retrainer.domain.buffer import WindowBuffer
from argus_retrainer.domain.upkeep import Upkeep, upkeep

JANUARY_1 = Day(300, "default", date(2025, 1, 1))
TODAY = date(2025, 3, 1)


@given(st.text(min_size=1, max_size=30), st.dates(), st.integers(10, 3600))
def test_a_day_is_found_again_from_its_folder(fleet: str, when: date, step: int) -> None:
    day = Day(step, fleet.encode("utf-8", "replace").decode(), when)
    assert Day.parse(day.folder) == day
    assert day.folder.count("/") == 2


@pytest.mark.parametrize(
    "folder", ["", "fleet=a/date=2025-01-01", "step=x/fleet=a/date=2025-01-01", "step=1/fleet=a/date=1"]
)
def test_a_folder_that_is_none_of_ours_is_no_day(folder: str) -> None:
    assert Day.parse(folder) is None


def test_a_window_belongs_to_the_date_on_which_it_begins() -> None:
    last = window("a", STEP - 1)
    days = rows_by_day([window("a"), last, window("b", fleet="eu")])
    assert list(days) == [Day(300, "default", date(2024, 12, 31)), JANUARY_1, Day(300, "eu", date(2025, 1, 1))]
    assert days[JANUARY_1]["timestamp"].to_list() == [datetime(2025, 1, 1, tzinfo=UTC)]


def test_a_metric_that_a_window_lacks_is_missing_and_not_zero() -> None:
    (table,) = rows_by_day([window("a", cpu_idle_pct=1.0), window("b", mem_used_pct=2.0)]).values()
    assert table.columns == ["server", "timestamp", "profile", "cpu_idle_pct", "mem_used_pct"]
    assert table["cpu_idle_pct"].to_list() == [1.0, None]
    assert table.schema["mem_used_pct"] == pl.Float32


@given(st.data())
def test_pieces_that_overlap_hold_what_one_piece_would(data: st.DataObject) -> None:
    windows = [window(f"s{i % 3}", STEP + i // 3) for i in range(30)]
    once = merged(list(rows_by_day(windows).values()))
    spans = data.draw(st.lists(st.tuples(st.integers(0, 29), st.integers(1, 30)), max_size=5))
    tables = [table for a, b in [*spans, (0, 15), (10, 30)] for table in rows_by_day(windows[a:b]).values()]
    assert_frame_equal(merged(tables), once)


def test_a_window_that_was_told_again_is_the_one_that_was_told_last() -> None:
    (first,), (second,) = (rows_by_day([window("a", cpu_idle_pct=v)]).values() for v in (1.0, 2.0))
    assert merged([first, second])["cpu_idle_pct"].to_list() == [2.0]


def test_the_name_of_a_piece_tells_what_is_in_it() -> None:
    (one,), (other,) = (rows_by_day([window(name)]).values() for name in ("a", "b"))
    assert piece(0, 0, 9, mark(one)) == piece(0, 0, 9, mark(one))
    assert piece(0, 0, 9, mark(one)) != piece(0, 0, 9, mark(other)), "of a topic that was created anew"


def test_pieces_come_after_what_was_compacted_before() -> None:
    early, late, compacted = piece(0, 5, 9, "x"), piece(0, 10, 19, "x"), whole(["a"])
    assert in_order([late, compacted, early]) == [compacted, early, late]


def test_a_buffer_is_due_when_it_is_full_or_old() -> None:
    buffer = WindowBuffer(most=3, seconds=10)
    assert not buffer.due(1e9)
    buffer.add(0, 100, 101, [window("a"), window("b")], now=5.0)
    assert (buffer.due(14.9), buffer.due(15.0)) == (False, True)
    buffer.add(1, 7, 7, [window("c")], now=6.0)
    assert buffer.due(6.0)
    held = buffer.take()
    assert (held[0].first, held[0].last, len(held[0].windows)) == (100, 101, 2)
    assert not buffer.due(1e9)


def test_a_buffer_forgets_a_partition_that_was_taken_away() -> None:
    buffer = WindowBuffer(most=10, seconds=10)
    buffer.add(0, 1, 1, [window("a")], now=0.0)
    buffer.drop({0, 5})
    assert not buffer.due(1e9)
    assert buffer.take() == {}


def days(**files: list[str]) -> dict[Day, list[str]]:
    return {
        Day(300, name[0], date.fromisoformat(f"2025-{name[1:3]}-{name[3:]}")): found for name, found in files.items()
    }


@pytest.mark.parametrize(
    ("files", "compacted", "dropped"),
    [
        (days(), [], []),
        (days(a0301=["1", "2"]), [], []),
        (days(a0228=["1", "2"], a0301=["1", "2"]), ["2025-02-28"], []),
        (days(a0228=["1"], a0301=["1", "2"]), [], []),
        (days(a0130=["1", "2"], a0131=["1"], a0301=["1"]), ["2025-01-31"][:0], ["2025-01-30"]),
        (days(a0101=["1"], b0301=["1"]), [], []),
    ],
    ids=["empty", "newest", "yesterday", "compacted already", "too old", "a fleet that is replayed"],
)
def test_days_that_are_over_are_compacted_and_old_ones_dropped(
    files: dict[Day, list[str]], compacted: list[str], dropped: list[str]
) -> None:
    found = upkeep(files, keep_days=30)
    assert [str(day.date) for day in found.compact] == compacted
    assert [str(day.date) for day in found.drop] == dropped
    assert isinstance(found, Upkeep)
