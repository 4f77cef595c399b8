"""Traces in many forms become one table."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from argus_cli.trace_frame import Selection, read_trace
from argus_common.errors import ConfigurationError

NEW_YEAR = 1_735_689_600_000
WIDE = "timestamp,server,cpu,mem\n2025-01-01T00:05:00Z,b,3,\n2025-01-01T00:00:00Z,b,1,5\n2025-01-01T00:00:00Z,a,2,6\n"
LONG = """timestamp,server,metric,value
2025-01-01T00:05:00Z,b,cpu,3
2025-01-01T00:00:00Z,b,cpu,1
2025-01-01T00:00:00Z,b,mem,5
2025-01-01T00:00:00Z,a,mem,6
2025-01-01T00:00:00Z,a,cpu,2
"""


def csv(folder: Path, text: str) -> Path:
    file = folder / "trace.csv"
    file.write_text(text)
    return file


@pytest.mark.parametrize("text", [WIDE, LONG])
def test_wide_and_long_files_give_the_same_table_in_event_time_order(tmp_path: Path, text: str) -> None:
    found = read_trace(csv(tmp_path, text), Selection())
    assert found["timestamp"].to_list() == [NEW_YEAR, NEW_YEAR, NEW_YEAR + 300_000]
    assert found.sort("timestamp", "server").select("server", "cpu", "mem").rows() == [
        ("a", 2, 6),
        ("b", 1, 5),
        ("b", 3, None),
    ]


@pytest.mark.parametrize(
    "times",
    [
        [1_735_689_600, 1_735_689_900],
        [1_735_689_600.0, 1_735_689_900.0],
        [NEW_YEAR, NEW_YEAR + 300_000],
        [NEW_YEAR * 1000, (NEW_YEAR + 300_000) * 1000],
        [NEW_YEAR * 1_000_000, (NEW_YEAR + 300_000) * 1_000_000],
        ["2025-01-01T01:00:00+01:00", "2025-01-01T00:05:00Z"],
        [datetime(2025, 1, 1), datetime(2025, 1, 1, 0, 5)],  # noqa: DTZ001 (a time without an offset is UTC)
        [datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, 0, 5, tzinfo=UTC)],
    ],
)
def test_times_are_read_from_numbers_texts_and_dates(tmp_path: Path, times: list[object]) -> None:
    file = tmp_path / "trace.parquet"
    pl.DataFrame({"server": ["a", "a"], "timestamp": times, "cpu": [1.0, 2.0]}).write_parquet(file)
    assert read_trace(file, Selection())["timestamp"].to_list() == [NEW_YEAR, NEW_YEAR + 300_000]


def test_columns_can_be_renamed_and_others_than_numbers_are_left_out(tmp_path: Path) -> None:
    file = csv(tmp_path, "ts,host,cpu,powered_on,note\n1735689600,7,1.5,true,x\n")
    found = read_trace(file, Selection({"ts": "timestamp", "host": "server", "cpu": "cpu_user_pct"}))
    assert found.to_dict(as_series=False) == {"server": ["7"], "timestamp": [NEW_YEAR], "cpu_user_pct": [1.5]}


def test_a_part_can_be_selected_by_time_and_by_servers(tmp_path: Path) -> None:
    file = csv(tmp_path, "timestamp,server,cpu\n100,a,1\n100,b,2\n100,c,3\n400,a,4\n400,b,5\n700,a,6\n")
    begin, until = datetime.fromtimestamp(400, UTC), datetime.fromtimestamp(700, UTC)
    assert read_trace(file, Selection(begin=begin))["cpu"].to_list() == [4, 5, 6]
    assert read_trace(file, Selection(until=until, servers=2))["cpu"].to_list() == [1, 2, 4, 5]


@pytest.mark.parametrize(
    ("text", "selection", "message"),
    [
        (
            "ts,server,cpu\n1,a,1\n",
            Selection(),
            "no column timestamp; the trace has ts, server, cpu.*--rename OLD=timestamp",
        ),
        ("timestamp,server,cpu\n1,a,1\n", Selection({"x": "y"}), "--rename: no column x"),
        ("timestamp,server,cpu\n1,a,1\n", Selection(begin=datetime(2030, 1, 1, tzinfo=UTC)), "nothing is left"),
        ("timestamp,server,cpu\n1,a,1\n,b,2\n", Selection(), "without server or timestamp"),
        ("timestamp,server,cpu\nsoon,a,1\n", Selection(), "trace.csv"),
        ("timestamp,server,cpu\ntrue,a,1\n", Selection(), "timestamp has the type Boolean"),
        ("timestamp,server,note\n1,a,x\n", Selection(), "no column of numbers"),
    ],
)
def test_an_unusable_file_says_why(tmp_path: Path, text: str, selection: Selection, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_trace(csv(tmp_path, text), selection)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"expected a \.parquet, \.csv or \.tsv file"):
        read_trace(tmp_path / "trace.xlsx", Selection())
