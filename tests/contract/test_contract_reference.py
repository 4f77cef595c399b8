"""The committed references are what the code says, and what they promise is kept."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from faststream import FastStream
from faststream.specification import AsyncAPI

from argus_common.asyncapi import CLOUDEVENTS_HEADERS, DEAD_LETTER_HEADERS, document, samples_schema
from argus_common.events import ForecastIssued, ScenarioRequested, WindowClosed, headers_of
from argus_common.events.base import Event
from argus_common.events.compatibility import breaking_changes
from argus_common.kafka import build_broker
from argus_common.kafka.dead_letters import dead_letter
from argus_common.settings import KafkaSettings
from argus_common.topics import TOPICS


@dataclass(frozen=True)
class Origin:
    topic: str = "argus.metrics.v1"
    partition: int = 0
    offset: int = 1
    value: bytes = b"{"
    timestamp: int = 1_735_689_600_000
    key: bytes = b"web1"


ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
EVENTS = [kind for topic in TOPICS for kind in topic.events]


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """``scripts/generate.py`` as a module."""
    spec = importlib.util.spec_from_file_location("generate_for_test", ROOT / "scripts" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "generate_for_test", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def elsewhere(generate: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The generator set up to write into an empty folder."""
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "REFERENCE", tmp_path / "reference")
    return tmp_path / "reference"


def test_no_generated_file_is_stale(generate: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    code = generate.main(["--check"])
    assert code == 0, capsys.readouterr().out


def test_generating_twice_gives_the_same_bytes(generate: ModuleType) -> None:
    assert generate.outputs() == generate.outputs()


def test_a_stale_file_fails_the_check_with_a_diff(
    generate: ModuleType, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    settings = elsewhere / "settings.md"
    settings.write_text(settings.read_text().replace("`9100`", "`9101`"))
    capsys.readouterr()
    assert generate.main(["--check"]) == 1
    told = capsys.readouterr()
    assert "-| `ARGUS_OPS_PORT` | integer | `9101`" in told.out
    assert "+| `ARGUS_OPS_PORT` | integer | `9100`" in told.out
    assert "1 generated files are stale: run `make generate`" in told.err
    assert "`9101`" in settings.read_text()


def test_a_schema_that_would_break_its_readers_is_never_written(
    generate: ModuleType, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate.main([])
    file = elsewhere / "schemas" / "io.argus.window.closed.v1.json"
    schema = json.loads(file.read_text())
    schema["properties"]["colour"] = {"type": "string"}
    file.write_text(json.dumps(schema))
    assert generate.main([]) == 1
    told = capsys.readouterr().err
    assert told == "io.argus.window.closed.v1: colour: removed; change additively, or make a new event type\n"
    assert "colour" in file.read_text()


def test_a_published_event_type_is_never_removed(
    generate: ModuleType, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate.main([])
    (elsewhere / "schemas" / "io.argus.gone.v1.json").write_text("{}")
    assert generate.main(["--check"]) == 1
    assert "io.argus.gone.v1: its event type was removed" in capsys.readouterr().err


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: str(kind.type))
def test_events_only_ever_gain_optional_fields(kind: type[Event]) -> None:
    published = json.loads((REFERENCE / "schemas" / f"{kind.type}.json").read_text(encoding="utf-8"))
    assert breaking_changes(published, kind.model_json_schema()) == []


@pytest.mark.parametrize("kind", [WindowClosed, ForecastIssued, ScenarioRequested])
def test_removing_renaming_or_retyping_any_field_fails_the_gate(kind: type[Event]) -> None:
    published = json.loads((REFERENCE / "schemas" / f"{kind.type}.json").read_text(encoding="utf-8"))
    for name in kind.model_fields:
        removed, renamed, retyped = (kind.model_json_schema() for _ in range(3))
        del removed["properties"][name]
        renamed["properties"][f"{name}_"] = renamed["properties"].pop(name)
        retyped["properties"][name] = {"type": "null"}
        assert breaking_changes(published, removed) != [], f"{name} could be removed"
        assert breaking_changes(published, renamed) != [], f"{name} could be renamed"
        assert breaking_changes(published, retyped) != [], f"{name} could change its type"


def asyncapi() -> Any:  # noqa: ANN401
    return json.loads((REFERENCE / "asyncapi.json").read_text(encoding="utf-8"))


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from references(item)


def resolved(whole: Any, reference: str) -> Any:  # noqa: ANN401
    for name in reference.removeprefix("#/").split("/"):
        whole = whole[name]
    return whole


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    whole = asyncapi()
    found = set(references(whole))
    assert "#/components/schemas/WindowClosed" in found
    for reference in found:
        assert resolved(whole, reference)


def test_every_schema_of_the_asyncapi_document_is_used_and_valid() -> None:
    whole = asyncapi()
    used = {reference.rpartition("/")[2] for reference in references(whole)}
    for name, schema in whole["components"]["schemas"].items():
        assert name in used
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_topic_is_a_channel_with_its_key_partitions_and_retention() -> None:
    channels = asyncapi()["channels"]
    assert {channel["address"] for channel in channels.values()} == {topic.name for topic in TOPICS}
    windows = channels["windows"]["bindings"]["kafka"]
    assert (windows["topic"], windows["partitions"]) == ("argus.windows.v1", 12)
    assert windows["topicConfiguration"] == {"cleanup.policy": ["delete"], "retention.ms": 172_800_000}
    message = asyncapi()["components"]["messages"]["WindowClosed"]
    assert message["bindings"]["kafka"]["key"] == {"type": "string", "description": "server"}


def test_every_example_of_the_asyncapi_document_fits_its_headers_and_payload() -> None:
    whole = asyncapi()
    shown = 0
    for message in whole["components"]["messages"].values():
        for example in message.get("examples", ()):
            for part in ("headers", "payload"):
                schema = {**whole, **message[part]}  # so that the references are found
                jsonschema.validate(example[part], schema, format_checker=jsonschema.FormatChecker())
            shown += 1
    assert shown >= 2 * len(EVENTS) - 1


def test_the_document_says_what_asyncapi_3_demands() -> None:
    whole = document()
    assert whole["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(whole["info"])
    assert all(
        set(channel) == {"address", "description", "messages", "bindings"} for channel in whole["channels"].values()
    )
    for channel in whole["channels"].values():
        assert all(list(message) == ["$ref"] for message in channel["messages"].values())


def test_the_documented_headers_are_those_that_are_sent() -> None:
    sent = {name: value.decode() for name, value in headers_of("io.argus.x.v1", "/argus/x", "1", datetime.now(UTC))}
    jsonschema.validate(sent, CLOUDEVENTS_HEADERS, format_checker=jsonschema.FormatChecker())
    assert set(sent) == set(CLOUDEVENTS_HEADERS["required"])
    letter = dead_letter(Origin(), "ingest", "not_json", "why")
    assert [name for name, _ in letter.headers] == list(DEAD_LETTER_HEADERS["properties"])


def test_faststream_describes_the_same_addresses_and_payloads() -> None:
    ours = asyncapi()
    for topic in TOPICS:
        for kind in topic.events:  # a broker each: the framework describes one event per topic
            broker = build_broker(KafkaSettings(), "argus-test")
            broker.publisher(topic.name, schema=kind, title=topic.name)
            specification = FastStream(broker, specification=AsyncAPI(title="Argus")).schema.to_specification()
            theirs = json.loads(specification.to_json())
            assert [channel["address"] for channel in theirs["channels"].values()] == [topic.name]
            assert theirs["components"]["schemas"][kind.__name__] == ours["components"]["schemas"][kind.__name__]


RECORD = {"server": "web1", "timestamp": 1735689600000, "metrics": {"cpu_user_pct": 12.3, "swap_used_pct": None}}
SAMPLE = {"server": "web1", "timestamp": "2025-01-01T00:00:00Z", "metric": "cpu_user_pct", "value": 1}


@pytest.mark.parametrize("payload", [RECORD, SAMPLE, [RECORD, SAMPLE], {"records": [RECORD]}])
def test_the_samples_schema_takes_the_native_form(payload: object) -> None:
    jsonschema.validate(payload, samples_schema())


@pytest.mark.parametrize(
    "payload",
    [
        {"server": "", "timestamp": 1, "metrics": {}},
        {"server": "web1", "metrics": {}},
        {"server": "web1", "timestamp": 1, "metrics": {"a": "b"}},
        {"server": "web1", "timestamp": 1, "metric": "a"},
        {"records": RECORD},
        "text",
    ],
)
def test_the_samples_schema_refuses_what_ingest_would_dead_letter(payload: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(payload, samples_schema())
