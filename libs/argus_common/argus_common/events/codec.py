"""Events to Kafka records and back: CloudEvents 1.0 binary mode, a verdict per record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from pydantic import ValidationError

from argus_common.errors import MalformedEventError
from argus_common.events.base import Event

Headers = Sequence[tuple[str, bytes]]
EventT = TypeVar("EventT", bound=Event)

CONTENT_TYPE = b"application/json"
MAX_TYPE_SHOWN = 100


class Received(Protocol):
    """What decoding needs of a Kafka record."""

    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Headers: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Record:
    """What goes to the broker. ``timestamp_ms`` None = the moment of sending."""

    key: bytes
    value: bytes
    headers: Headers
    timestamp_ms: int | None = None


def headers_of(kind: str, source: str, event_id: str, time: datetime) -> list[tuple[str, bytes]]:
    """The CloudEvents headers of an event."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", kind.encode()),
        ("ce_source", source.encode()),
        ("ce_id", event_id.encode()),
        ("ce_time", time.strftime("%Y-%m-%dT%H:%M:%SZ").encode()),
        ("content-type", CONTENT_TYPE),
    ]


def encode(event: Event, source: str) -> Record:
    """The record of ``event``; ``source`` is the service that speaks, such as ``/argus/ingest``."""
    headers = headers_of(event.type, source, event.id(), event.time())
    return Record(event.key().encode(), event.model_dump_json().encode(), headers)


def decode(kind: type[EventT], record: Received) -> EventT:
    """The event in ``record``.

    Raises:
        MalformedEventError: a tombstone, another event type, not JSON, or a field that is missing or wrong.
    """
    declared = dict(record.headers).get("ce_type")
    if declared is not None and declared != kind.type.encode():
        said = declared[:MAX_TYPE_SHOWN].decode(errors="replace")
        raise MalformedEventError("wrong_type", f"expected {kind.type}, the record says {said}")
    if not record.value:
        raise MalformedEventError("empty", f"expected {kind.type}, the record has no value")
    try:
        return kind.model_validate_json(record.value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "value"
        reason = "not_json" if first["type"] == "json_invalid" else "invalid_field"
        raise MalformedEventError(reason, f"{kind.type}: {where}: {first['msg']}") from error


def decode_any(kinds: Sequence[type[EventT]], record: Received) -> EventT:
    """The event in ``record``, which is one of these kinds; its header says which.

    Raises:
        MalformedEventError: as for `decode`, or the header names none of them.
    """
    declared = dict(record.headers).get("ce_type", b"")
    kind = next((kind for kind in kinds if kind.type.encode() == declared), None)
    if kind is None:
        said = declared[:MAX_TYPE_SHOWN].decode(errors="replace") or "nothing"
        names = ", ".join(kind.type for kind in kinds)
        raise MalformedEventError("wrong_type", f"expected one of {names}, the record says {said}")
    return decode(kind, record)


ReceivedT = TypeVar("ReceivedT", bound=Received)


@dataclass(frozen=True, slots=True)
class Verdicts(Generic[ReceivedT, EventT]):
    """One verdict per record of a batch: the good ones as events, the bad ones with their error."""

    good: list[tuple[ReceivedT, EventT]]
    bad: list[tuple[ReceivedT, MalformedEventError]]


def decode_batch(kind: type[EventT], records: Iterable[ReceivedT]) -> Verdicts[ReceivedT, EventT]:
    """Decode each record on its own: one that can't be read never takes its neighbours with it."""
    verdicts: Verdicts[ReceivedT, EventT] = Verdicts([], [])
    for record in records:
        try:
            verdicts.good.append((record, decode(kind, record)))
        except MalformedEventError as error:
            verdicts.bad.append((record, error))
    return verdicts
