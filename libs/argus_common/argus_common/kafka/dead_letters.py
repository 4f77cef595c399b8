"""Dead letters: what could not be read, with the reason and the place it came from; bounded in size and in rate."""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from argus_common.errors import DeadLetterFloodError
from argus_common.topics import DEAD_LETTERS

MAX_KEPT_BYTES = 64 * 1024
"""Larger originals are cut: the dead-letter topic must not be where a flood of huge records is stored."""
MAX_DETAIL_CHARACTERS = 2000


class Origin(Protocol):
    """Where a record came from, when it was written there (epoch milliseconds), and its bytes."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record as it goes to the dead-letter topic."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def dead_letter(origin: Origin, service: str, reason: str, detail: str) -> DeadLetter:
    """The dead letter of ``origin``, with all that sending it again takes; the same record and service always give the
    same ``ce_id``.
    """
    value = origin.value or b""
    place = f"{origin.topic}/{origin.partition}/{origin.offset}"
    fields = {
        "ce_id": f"{place}/{service}",
        "argus_reason": reason,
        "argus_detail": detail[:MAX_DETAIL_CHARACTERS],
        "argus_service": service,
        "argus_topic": origin.topic,
        "argus_partition": str(origin.partition),
        "argus_offset": str(origin.offset),
        "argus_timestamp": str(origin.timestamp),
        "argus_original_bytes": str(len(value)),
    }
    # The detail may quote a lone surrogate out of the unreadable record; encoding it must not fail in its turn.
    headers = [(name, text.encode(errors="backslashreplace")) for name, text in fields.items()]
    if origin.key is not None:
        headers.append(("argus_key", origin.key[:MAX_KEPT_BYTES]))
    return DeadLetter(origin.topic.encode(), value[:MAX_KEPT_BYTES], headers)


class FloodGuard:
    """Stops consumption when too large a share of recent records could not be read.

    A wrong producer or a wrong topic would otherwise drain the topic into the dead letters, unseen.

    >>> guard = FloodGuard(max_share=0.5, recent=4, at_least=3)
    >>> guard.record(read=1, unreadable=2)
    >>> guard.record(read=0, unreadable=1)
    Traceback (most recent call last):
        ...
    argus_common.errors.DeadLetterFloodError: 3 of the last 4 records could not be read, more than the allowed 50 %; ...
    """

    def __init__(self, max_share: float = 0.2, recent: int = 10_000, at_least: int = 500) -> None:
        self._max_share, self._recent, self._at_least = max_share, recent, at_least
        self._batches: deque[tuple[int, int]] = deque()
        self._read = self._unreadable = 0

    def record(self, *, read: int, unreadable: int) -> None:
        """Account for a batch of records.

        Raises:
            DeadLetterFloodError: at least ``at_least`` and more than ``max_share`` of the recent records are dead.
        """
        if read + unreadable == 0:
            return  # an idle poll; remembering it would grow for ever
        self._batches.append((read, unreadable))
        self._read += read
        self._unreadable += unreadable
        while len(self._batches) > 1 and self._read + self._unreadable - sum(self._batches[0]) >= self._recent:
            old_read, old_unreadable = self._batches.popleft()
            self._read -= old_read
            self._unreadable -= old_unreadable
        total = self._read + self._unreadable
        if self._unreadable >= self._at_least and self._unreadable > self._max_share * total:
            raise DeadLetterFloodError(
                f"{self._unreadable} of the last {total} records could not be read, more than the allowed "
                f"{100 * self._max_share:.0f} %; `argus dead-letters list` shows the reasons on {DEAD_LETTERS.name}: "
                "mend the producer or the mapping, and start again; nothing was acknowledged past the last good state"
            )
