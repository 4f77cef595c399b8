"""Spans of time as a person writes them."""

from datetime import timedelta

import pytest

from argus_cli.spans import parse_span
from argus_common.errors import ConfigurationError


def test_spans_are_minutes_hours_or_days() -> None:
    assert [parse_span(text) for text in ("30m", "24h", "7d")] == [
        timedelta(minutes=30),
        timedelta(hours=24),
        timedelta(days=7),
    ]


@pytest.mark.parametrize("text", ["", "24", "h", "1.5h", "0m", "-1h", "9999d", "1w"])
def test_any_other_span_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ConfigurationError, match="write for example 30m, 24h or 7d"):
        parse_span(text)
