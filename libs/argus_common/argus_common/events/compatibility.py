"""Whether a new JSON Schema of an event only adds to the old one, so that old records and old readers keep working."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TIGHTER_WHEN_RAISED = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_TIGHTER_WHEN_LOWERED = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_MAPPED = ("items", "additionalProperties")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What in ``new`` would break a reader of records written for ``old``, or the other way round; empty = additive.

    Both are schemas as pydantic writes them. Allowed are new optional fields, new enum values, wider bounds and other
    words in titles and descriptions.

    >>> field = {"type": "string"}
    >>> breaking_changes({"properties": {"server": field}}, {"properties": {"host": field}, "required": ["host"]})
    ['server: removed', 'host: new, but required']
    """
    return list(_changes("", _Schema(old, old), _Schema(new, new)))


class _Schema:
    """A part of a schema whose references are followed in ``root``."""

    def __init__(self, part: Schema, root: Schema) -> None:
        self.root = root
        while "$ref" in part:
            part = root["$defs"][part["$ref"].removeprefix("#/$defs/")]
        self.part = part

    def __getitem__(self, key: str) -> "_Schema":
        return _Schema(self.part[key], self.root)

    def properties(self) -> dict[str, "_Schema"]:
        return {name: _Schema(part, self.root) for name, part in self.part.get("properties", {}).items()}

    def required(self) -> set[str]:
        return set(self.part.get("required", ()))

    def branches(self) -> dict[str, "_Schema"]:
        """The alternatives of ``anyOf`` by their type."""
        parts = [_Schema(part, self.root) for part in self.part.get("anyOf", ())]
        return {str(part.part.get("type", part.part.get("const"))): part for part in parts}

    def values(self) -> set[Any]:
        const = {self.part["const"]} if "const" in self.part else set()
        return const | set(self.part.get("enum", ()))


def _changes(place: str, old: _Schema, new: _Schema) -> Iterator[str]:
    where = place or "event"
    if old.part.get("type") != new.part.get("type"):
        yield f"{where}: type {old.part.get('type')} became {new.part.get('type')}"
        return
    yield from _fields(place, old, new)
    yield from _alternatives(where, old, new)
    yield from _bounds(where, old.part, new.part)
    for key in _MAPPED:
        if isinstance(old.part.get(key), Mapping) and isinstance(new.part.get(key), Mapping):
            yield from _changes(f"{where}[]", old[key], new[key])
        elif isinstance(old.part.get(key), Mapping) or new.part.get(key) is False:
            yield f"{where}: {key} changed"


def _fields(place: str, old: _Schema, new: _Schema) -> Iterator[str]:
    before, after = old.properties(), new.properties()
    for name, field in before.items():
        path = f"{place}.{name}" if place else name
        if name not in after:
            yield f"{path}: removed"
            continue
        yield from _changes(path, field, after[name])
        if name in old.required() and name not in new.required():
            yield f"{path}: was always there, now it may be missing"
    for name in new.required() - (old.required() & set(before)):
        path = f"{place}.{name}" if place else name
        yield f"{path}: {'was optional, now required' if name in before else 'new, but required'}"


def _alternatives(where: str, old: _Schema, new: _Schema) -> Iterator[str]:
    before, after = old.branches(), new.branches()
    for kind, branch in before.items():
        if kind in after:
            yield from _changes(where, branch, after[kind])
        else:
            yield f"{where}: {kind} is no longer allowed"
    if gone := old.values() - new.values():
        yield f"{where}: values {sorted(map(str, gone))} are no longer allowed"


def _bounds(where: str, old: Schema, new: Schema) -> Iterator[str]:
    for key in _TIGHTER_WHEN_RAISED:
        if key in new and new[key] > old.get(key, float("-inf")):
            yield f"{where}: {key} {old.get(key, 'none')} became {new[key]}"
    for key in _TIGHTER_WHEN_LOWERED:
        if key in new and new[key] < old.get(key, float("inf")):
            yield f"{where}: {key} {old.get(key, 'none')} became {new[key]}"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{where}: pattern {old.get('pattern', 'none')} became {new['pattern']}"
