"""Bytes to native records: the fast way for well-formed batches, record by record where something is wrong."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from argus_ingest.domain.native import DEFAULT_FLEET, NativeRecord, flat_metrics
from argus_ingest.domain.verdicts import Verdicts

MAX_RECORD_BYTES = 1024 * 1024
_SHOWN_BYTES = 80

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes from outside; the last for arrays nested by the thousand."""

_decode_one = msgspec.json.Decoder(NativeRecord).decode
_decode_many = msgspec.json.Decoder(list[NativeRecord]).decode


@dataclass(frozen=True, slots=True)
class Parsed:
    """``records[i]`` came from Kafka record ``source[i]`` of the batch."""

    records: list[NativeRecord]
    source: list[int]


def parse(values: Sequence[bytes | None], verdicts: Verdicts) -> Parsed:
    """Every record that can be read; the others get a verdict. Order is kept."""
    if _oversized(values):
        return _one_by_one(values, verdicts)
    try:
        records = [_decode_one(value) for value in values]  # type: ignore[arg-type]  # None is caught below
    except (*UNREADABLE, TypeError):
        return _one_by_one(values, verdicts)
    if all(record.records is None and record.server_name is None for record in records):
        return Parsed(records, list(range(len(records))))
    return _one_by_one(values, verdicts)


def _oversized(values: Sequence[bytes | None]) -> bool:
    return max((len(value) for value in values if value), default=0) > MAX_RECORD_BYTES


def _one_by_one(values: Sequence[bytes | None], verdicts: Verdicts) -> Parsed:
    parsed = Parsed([], [])
    for index, value in enumerate(values):
        found = _records_of(index, value, verdicts)
        parsed.records.extend(found)
        parsed.source.extend([index] * len(found))
    return parsed


def _records_of(index: int, value: bytes | None, verdicts: Verdicts) -> list[NativeRecord]:
    if not value:
        verdicts.reject(index, "empty", "the record has no value")
        return []
    if len(value) > MAX_RECORD_BYTES:
        verdicts.reject(index, "too_large", f"{len(value)} bytes, the limit is {MAX_RECORD_BYTES}")
        return []
    try:
        records = _decode_many(value) if value[:1] == b"[" else _expanded(_decode_one(value))
    except UNREADABLE:
        return _lenient(index, value, verdicts)
    if any(record.server_name is not None or record.records is not None for record in records):
        return _lenient(index, value, verdicts)
    if not records:
        verdicts.reject(index, "empty", "a batch without records")
    return records


def _expanded(record: NativeRecord) -> list[NativeRecord]:
    return [record] if record.records is None else record.records


def _lenient(index: int, value: bytes, verdicts: Verdicts) -> list[NativeRecord]:
    """What can be saved of a record that does not have the exact form; NaN and Infinity are read, to be refused by
    name later.
    """
    try:
        document = json.loads(value)
    except (ValueError, RecursionError) as error:
        verdicts.reject(index, "not_json", f"{error}; begins with {value[:_SHOWN_BYTES]!r}")
        return []
    if isinstance(document, dict) and isinstance(document.get("records"), list):
        document = document["records"]
    items = document if isinstance(document, list) else [document]
    if not items:
        verdicts.reject(index, "empty", "a batch without records")
    found = [_typed(index, item, verdicts) for item in items]
    return [record for record in found if record is not None]


def _typed(index: int, item: Any, verdicts: Verdicts) -> NativeRecord | None:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(item, dict):
        verdicts.reject(index, "wrong_type", f"expected an object, found {type(item).__name__}")
        return None
    metrics = _metrics_of(item)
    if not isinstance(metrics, dict):
        verdicts.reject(index, "wrong_type", f"metrics: expected an object, found {type(metrics).__name__}")
        return None
    timestamp = item.get("timestamp")
    return NativeRecord(
        server=_text(item.get("server", item.get("server_name"))),
        timestamp=timestamp if isinstance(timestamp, int | float | str) else None,
        metrics=_numbers(index, metrics, verdicts),
        fleet=DEFAULT_FLEET if item.get("fleet") is None else _text(item["fleet"]),
        profile=_text(item.get("profile")) or None,
    )


def _metrics_of(item: dict[str, Any]) -> object:
    if "metrics" in item:
        return item["metrics"]
    if "metric" in item:
        return {str(item["metric"]): item.get("value")}
    return flat_metrics(item) if "server_name" in item else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _numbers(index: int, metrics: dict[str, Any], verdicts: Verdicts) -> dict[str, float | None]:
    numbers: dict[str, float | None] = {}
    for name, value in metrics.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            verdicts.reject(index, "wrong_type", f"{name}: expected a number, found {str(value)[:_SHOWN_BYTES]!r}")
        elif value != value:
            verdicts.reject(index, "not_finite", f"{name}: NaN")
        else:
            numbers[name] = _as_float(value)
    return numbers


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")
