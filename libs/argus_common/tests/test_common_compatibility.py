from typing import Any

import pytest
from pydantic import BaseModel, Field

from argus_common.events import ForecastIssued, ScenarioRequested, WindowClosed
from argus_common.events.base import Event
from argus_common.events.compatibility import breaking_changes


class Part(BaseModel):
    share: float = Field(ge=0, le=1)


class Old(BaseModel):
    name: str = Field(min_length=1, max_length=10, pattern="^a")
    count: int = 0
    ratio: float | None = None
    kind: str = Field(json_schema_extra={"enum": ["a", "b"]})
    parts: list[Part] = []
    by_name: dict[str, Part] = {}


OLD = Old.model_json_schema()


def changed(*path: str, **keys: Any) -> dict[str, Any]:  # noqa: ANN401
    """OLD with ``keys`` set at ``path``; None takes a key away."""
    schema = Old.model_json_schema()
    part = schema
    for name in path:
        part = part[name]
    for key, value in keys.items():
        if value is None:
            del part[key]
        else:
            part[key] = value
    return schema


@pytest.mark.parametrize("kind", [WindowClosed, ForecastIssued, ScenarioRequested, Old])
def test_a_schema_is_compatible_with_itself(kind: type[Event]) -> None:
    assert breaking_changes(kind.model_json_schema(), kind.model_json_schema()) == []


@pytest.mark.parametrize(
    "new",
    [
        changed("properties", extra={"type": "string", "default": ""}),
        changed("properties", "name", description="other words", title="Other", minLength=None),
        changed("properties", "name", maxLength=20, pattern=None),
        changed("properties", "kind", enum=["a", "b", "unknown"]),
        changed("$defs", "Part", "properties", "share", maximum=2),
        changed("$defs", "Part", "properties", more={"type": "integer", "default": 0}),
    ],
)
def test_additions_and_wider_bounds_are_compatible(new: dict[str, Any]) -> None:
    assert breaking_changes(OLD, new) == []


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (changed("properties", count=None), "count: removed"),
        (changed("properties", "count", type="number"), "count: type integer became number"),
        (changed(required=["name", "kind", "count"]), "count: was optional, now required"),
        (changed(required=["name"]), "kind: was always there, now it may be missing"),
        (changed("properties", "name", minLength=2), "name: minLength 1 became 2"),
        (changed("properties", "name", maxLength=9), "name: maxLength 10 became 9"),
        (changed("properties", "name", pattern="^b"), "name: pattern ^a became ^b"),
        (changed("properties", "count", minimum=0), "count: minimum none became 0"),
        (changed("properties", "kind", enum=["a"]), "kind: values ['b'] are no longer allowed"),
        (changed("properties", "ratio", anyOf=[{"type": "number"}]), "ratio: null is no longer allowed"),
        (changed("$defs", "Part", "properties", share=None), "parts[].share: removed"),
        (changed("$defs", "Part", "properties", "share", maximum=0.5), "by_name[].share: maximum 1 became 0.5"),
        (changed("properties", "parts", items=None), "parts: items changed"),
        (changed(additionalProperties=False), "event: additionalProperties changed"),
    ],
)
def test_what_would_break_a_reader_is_told_by_its_field(new: dict[str, Any], expected: str) -> None:
    assert expected in breaking_changes(OLD, new)


def test_a_new_required_field_and_a_renamed_one_are_told() -> None:
    new = Old.model_json_schema()
    new["properties"]["label"] = new["properties"].pop("name")
    new["required"] = ["label", "kind"]
    assert breaking_changes(OLD, new) == ["name: removed", "label: new, but required"]
