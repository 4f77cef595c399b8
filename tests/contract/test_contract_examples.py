"""Published examples of every event stay readable for ever: never change one, only add."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argus_common.events import Event, decode, encode
from argus_common.topics import TOPICS

EXAMPLES = Path(__file__).parent / "examples"
FILES = sorted(EXAMPLES.glob("*/v1/*.json"))


@dataclass(frozen=True)
class Received:
    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True)
class Example:
    kind: type[Event]
    key: str
    payload: dict[str, Any]
    headers: dict[str, str]

    def record(self) -> Received:
        headers = [(name, text.encode()) for name, text in self.headers.items()]
        return Received(json.dumps(self.payload).encode(), headers)


def read(file: Path) -> Example:
    document = json.loads(file.read_text(encoding="utf-8"))
    topic = next(topic for topic in TOPICS if topic.name == file.parents[1].name)
    kind = next(kind for kind in topic.events if kind.type == document["headers"]["ce_type"])
    return Example(kind, document["key"], document["payload"], document["headers"])


def name_of(file: Path) -> str:
    return str(file.relative_to(EXAMPLES))


def test_every_event_type_has_an_example_with_all_fields_and_one_with_the_required_ones() -> None:
    examples = [read(file) for file in FILES]
    for kind in (kind for topic in TOPICS for kind in topic.events):
        shown = [set(example.payload) for example in examples if example.kind is kind]
        required = {name for name, field in kind.model_fields.items() if field.is_required()}
        assert set(kind.model_fields) in shown, f"{kind.type}: add an example with every field"
        assert required in shown, f"{kind.type}: add an example with the required fields alone"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_an_example_is_read(file: Path) -> None:
    example = read(file)
    event = decode(example.kind, example.record())
    assert event.key() == example.key
    assert event.id() == example.headers["ce_id"]


def without_additions(written: Any, shown: Any) -> Any:  # noqa: ANN401
    """``written`` without the fields that are not in ``shown``: defaults that were filled in."""
    if isinstance(shown, dict):
        return {name: without_additions(written[name], part) for name, part in shown.items()}
    if isinstance(shown, list) and len(shown) == len(written):
        return [without_additions(one, other) for one, other in zip(written, shown, strict=True)]
    return written


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_an_example_is_written_as_it_was_read(file: Path) -> None:
    example = read(file)
    record = encode(decode(example.kind, example.record()), example.headers["ce_source"])
    written = json.loads(record.value)
    assert without_additions(written, example.payload) == example.payload
    assert {name: value.decode() for name, value in record.headers} == example.headers
    assert record.key.decode() == example.key


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_reader_of_today_ignores_the_fields_of_tomorrow(file: Path) -> None:
    example = read(file)
    later = Example(example.kind, example.key, {**example.payload, "added_later": {"x": [1]}}, example.headers)
    assert decode(example.kind, later.record()) == decode(example.kind, example.record())
