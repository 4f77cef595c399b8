"""A trace that is streamed is the trace that is read at once, in event-time order, whatever its own order."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from argus_cli.trace_frame import Selection, read_trace
from argus_cli.trace_stream import stream_trace, trace_of
from argus_common.errors import ConfigurationError

NEW_YEAR = 1_735_689_600_000

row = st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 40) | st.integers(0, 10**7), st.floats(0, 100))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(row, min_size=1, max_size=80),
    rows_together=st.integers(1, 30),
    kind=st.sampled_from(["parquet", "csv"]),
)
def test_the_parts_in_a_row_are_the_whole_trace_in_a_stable_order(
    rows: list[tuple[str, int, float]], rows_together: int, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("trace") / f"trace.{kind}"
    frame = pl.DataFrame(
        {
            "server": [server for server, *_ in rows],
            "timestamp": [NEW_YEAR + ms for _, ms, _ in rows],
            "cpu": [value for *_, value in rows],
        }
    )
    frame.write_parquet(file, row_group_size=7) if kind == "parquet" else frame.write_csv(file)
    trace = stream_trace(file, Selection(), rows_together)
    parts = list(trace.parts)
    whole = pl.concat(parts)
    assert_frame_equal(whole, read_trace(file, Selection()))
    assert (trace.first_ms, trace.last_ms) == (whole["timestamp"][0], whole["timestamp"][-1])
    assert all(len(part) <= rows_together or part["timestamp"].n_unique() <= 10**7 // 4096 + 1 for part in parts)


def test_a_long_trace_is_made_wide_though_its_parts_hold_other_metrics(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    lines = [f"a,{NEW_YEAR // 1000 + 300 * t},{metric},{t}" for metric in ("cpu", "mem") for t in range(20)]
    file.write_text("\n".join(["server,timestamp,metric,value", *lines, f"a,{NEW_YEAR // 1000 + 9000},disk,7"]))
    parts = list(stream_trace(file, Selection(), rows_together=8).parts)
    assert len(parts) > 3
    whole = pl.concat(parts, how="diagonal")
    assert whole["timestamp"].to_list() == [NEW_YEAR + 300_000 * t for t in [*range(20), 30]]
    assert whole["mem"].to_list() == [*map(float, range(20)), None]


def test_the_temporary_files_are_gone_when_it_was_gone_through_or_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spool))
    file = tmp_path / "trace.parquet"
    pl.DataFrame({"server": ["a"] * 50, "timestamp": [NEW_YEAR + t for t in range(50)], "cpu": 1.0}).write_parquet(file)
    parts = iter(stream_trace(file, Selection(), rows_together=10).parts)
    next(parts)
    assert len(list(spool.iterdir())) == 1
    parts.close()  # type: ignore[attr-defined]
    assert list(spool.iterdir()) == []
    assert len(list(stream_trace(file, Selection(), rows_together=10).parts)) == 5
    assert list(spool.iterdir()) == []


def test_shifting_moves_the_last_row_to_the_moment_and_keeps_the_distances() -> None:
    rows = pl.DataFrame({"server": ["a"] * 3, "timestamp": [0, 300_000, 900_000], "cpu": [1, 2, 3]})
    moved = trace_of(rows).ending_at(NEW_YEAR)
    assert pl.concat(moved.parts)["timestamp"].to_list() == [NEW_YEAR - 900_000, NEW_YEAR - 600_000, NEW_YEAR]
    assert (moved.first_ms, moved.last_ms) == (NEW_YEAR - 900_000, NEW_YEAR)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server,timestamp,cpu\na,1735689600,1\n", "nothing is left"),
        ("server,timestamp,cpu\n,1735689599,1\n", "rows without server or timestamp"),
        ("host,timestamp,cpu\na,1735689600,1\n", "no column server"),
    ],
)
def test_what_can_not_be_sent_is_told_before_anything_is(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "trace.csv"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        stream_trace(file, Selection(until=datetime(2025, 1, 1, tzinfo=UTC)))
