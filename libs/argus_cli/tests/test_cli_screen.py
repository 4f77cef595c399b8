"""Tables in a file or a pipe are not cut."""

import io

import pytest
from rich.table import Table

from argus_cli.screen import FILE_WIDTH, wide_console
from argus_cli.trace_frame import IDENTITY
from argus_forecasting.trace_store import IDENTITY as OF_ARCHIVES


def test_where_there_is_no_terminal_a_console_is_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    written = io.StringIO()
    table = Table("word")
    table.add_row("x" * (FILE_WIDTH - 4))
    wide_console(written).print(table)
    assert "x" * (FILE_WIDTH - 4) in written.getvalue()


def test_a_width_that_was_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert wide_console(io.StringIO()).width == 50


def test_traces_and_archives_name_who_and_when_alike() -> None:
    assert IDENTITY == OF_ARCHIVES
