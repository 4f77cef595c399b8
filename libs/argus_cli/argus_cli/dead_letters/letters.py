"""Dead letters as they are read back, and which of them are wanted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from argus_common.errors import ConfigurationError
from argus_common.kafka.dead_letters import Origin

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Buried(Origin, Protocol):
    """A record of the dead-letter topic."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter. Its place on the dead-letter topic, ``partition/offset``, is its id.

    ``source_ms``: when the original was written to its topic, epoch milliseconds; None in letters that do not say.
    """

    partition: int
    offset: int
    buried_ms: int
    reason: str
    detail: str
    service: str
    topic: str
    source_partition: int
    source_offset: int
    source_ms: int | None
    key: bytes | None
    value: bytes
    original_bytes: int

    @property
    def id(self) -> str:
        """Names the letter on the command line."""
        return f"{self.partition}/{self.offset}"

    def why_not_again(self) -> str | None:
        """Why it can't be sent again, None where it can."""
        if not self.value:
            return "the original had no value"
        if len(self.value) < self.original_bytes:
            return "only the beginning of the original was kept"
        return None if self.topic and self.source_partition >= 0 else "it does not say where it came from"


def letter_of(record: Buried) -> Letter:
    """The letter in a record. A record of somebody else's shows as one of the reason ``unknown``."""
    headers = dict(record.headers)

    def text(name: str) -> str:
        return headers.get(name, b"").decode(errors="replace")

    def number(name: str) -> int | None:
        return int(text(name)) if text(name).isdecimal() else None

    value = record.value or b""
    place = [-1 if found is None else found for found in (number("argus_partition"), number("argus_offset"))]
    size = number("argus_original_bytes")
    return Letter(
        record.partition,
        record.offset,
        record.timestamp,
        text("argus_reason") or "unknown",
        text("argus_detail"),
        text("argus_service"),
        text("argus_topic"),
        place[0],
        place[1],
        number("argus_timestamp"),
        headers.get("argus_key"),
        value,
        len(value) if size is None else size,
    )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters are wanted; an empty condition leaves all through. Times in ``[since_ms, until_ms)``, epoch
    milliseconds, are those of the burial.
    """

    reasons: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    contains: str = ""
    since_ms: int | None = None
    until_ms: int | None = None

    def wants(self, letter: Letter) -> bool:
        """Whether all conditions hold."""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.topics or letter.topic in self.topics)
            and (not self.ids or letter.id in self.ids)
            and (self.since_ms is None or letter.buried_ms >= self.since_ms)
            and (self.until_ms is None or letter.buried_ms < self.until_ms)
            and (not self.contains or self._found_in(letter))
        )

    def first_offsets(self) -> dict[int, int]:
        """By partition the lowest offset that an id names.

        >>> Selection(ids=frozenset({"0/7", "0/5", "2/1"})).first_offsets() == {0: 5, 2: 1}
        True
        """
        first: dict[int, int] = {}
        for partition, _, offset in (name.partition("/") for name in self.ids):
            if partition.isdecimal() and offset.isdecimal():
                first[int(partition)] = min(int(offset), first.get(int(partition), int(offset)))
        return first

    def _found_in(self, letter: Letter) -> bool:
        return self.contains in letter.detail or self.contains.encode() in (letter.key or b"") + b"\0" + letter.value


def moment_ms(text: str, now_ms: int) -> int:
    """Epoch milliseconds of a time of day or of so long ago.

    Raises:
        ConfigurationError: it is neither.

    >>> moment_ms("2h", now_ms=7_200_000), moment_ms("1970-01-01T00:00:01", now_ms=0)
    (0, 1000)
    """
    if found := re.fullmatch(r"(\d+)([smhd])", text):
        return now_ms - round(timedelta(**{_UNITS[found[2]]: int(found[1])}).total_seconds() * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{text}: expected a time such as 2025-01-01T12:00 (UTC), or 30m, 2h, 7d ago"
        ) from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
