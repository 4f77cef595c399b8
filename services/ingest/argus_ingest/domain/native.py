"""The native JSON form of samples, and the flat 17-field form of earlier feeds.

    {"server": "web1", "timestamp": 1735689600000, "metrics": {"cpu_user_pct": 12.5, ...}}      one record, wide
    {"server": "web1", "timestamp": "2025-01-01T00:00:00Z", "metric": "cpu_user_pct", "value": 12.5}     one sample
    [{...}, {...}]    {"records": [{...}, {...}]}                                                a batch
    {"timestamp": ..., "server_name": "ppweb001", "status": "healthy", "cpu_user_pct": 12.5, ...}        flat

``fleet`` and ``profile`` are optional everywhere.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from argus_common.errors import MalformedEventError

DEFAULT_FLEET = "default"
FLAT_LABELS = frozenset(
    {
        "timestamp",
        "server_name",
        "server",
        "status",
        "state",
        "profile",
        "fleet",
        "problem_child",
        "notes",
        "cascade_impact",
    }
)
"""Fields of the flat form that are not metrics; ``cascade_impact`` is a simulator's hidden cause, never an input."""


class Labelled(Protocol):
    """Who and when of a record."""

    server: str
    timestamp: int | float | str | None
    fleet: str
    profile: str | None


class NativeRecord(msgspec.Struct, gc=False):
    """A record as it comes; what is absent is checked after decoding."""

    server: str = ""
    timestamp: int | float | str | None = None
    metrics: dict[str, float | None] | None = None
    metric: str | None = None
    value: float | None = None
    fleet: str = DEFAULT_FLEET
    profile: str | None = None
    records: "list[NativeRecord] | None" = None
    server_name: str | None = None


SECONDS_BELOW, MILLISECONDS_BELOW, MICROSECONDS_BELOW, NANOSECONDS_BELOW = 10**11, 10**14, 10**17, 10**20
"""Numbers are told apart by size: 1e11 s is the year 5138, 1e11 ms is March 1973; likewise for the finer units."""

EARLIEST_SECONDS = SECONDS_BELOW // 1000
"""Earlier moments can't be told from seconds by size, and are no event time of a server anyway."""


def epoch_ms(timestamp: float | str | None) -> int:
    """Epoch milliseconds of a timestamp: seconds, milli-, micro- or nanoseconds as a number, or RFC 3339 text.

    A text without an offset is UTC.

    Raises:
        MalformedEventError: it is missing, negative or can't be read.

    >>> epoch_ms(1735689600), epoch_ms(1735689600000), epoch_ms("2025-01-01T01:00:00+01:00")
    (1735689600000, 1735689600000, 1735689600000)
    """
    if isinstance(timestamp, str):
        return _text_ms(timestamp)
    if timestamp is None or isinstance(timestamp, bool) or not 0 <= timestamp < NANOSECONDS_BELOW:
        shown = str(timestamp)[:80]
        raise MalformedEventError("invalid_timestamp", f"timestamp {shown}: expected epoch numbers or RFC 3339 text")
    if timestamp < EARLIEST_SECONDS:
        raise MalformedEventError(
            "invalid_timestamp", f"timestamp {timestamp}: expected a moment after March 1973, not an uptime"
        )
    if timestamp < SECONDS_BELOW:
        return round(timestamp * 1000)
    if timestamp < MILLISECONDS_BELOW:
        return round(timestamp)
    return round(timestamp / (1000 if timestamp < MICROSECONDS_BELOW else 1_000_000))


def _text_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        number = ", or the number without quotes" if text.isdecimal() else ""
        raise MalformedEventError("invalid_timestamp", f"timestamp {text[:80]!r}: expected RFC 3339{number}") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    milliseconds = round(moment.timestamp() * 1000)
    if milliseconds < SECONDS_BELOW:
        raise MalformedEventError("invalid_timestamp", f"timestamp {text[:80]!r}: expected a moment after March 1973")
    return milliseconds


def flat_metrics(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The metrics of a flat record: every field that is no label."""
    return {name: value for name, value in fields.items() if name not in FLAT_LABELS}
