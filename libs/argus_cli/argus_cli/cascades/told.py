"""Cascades as a file of events tells them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from argus_cascade.domain.detector import NO_PROFILES, CascadeDetector, DetectorSettings
from argus_cascade.domain.encode import event_of
from argus_cascade.domain.life.change import Changed
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.verdict import Verdict
from argus_cli.cascades.scoring import ToldCascade
from argus_common.errors import ConfigurationError
from argus_common.events.cascades import CascadeOpened, CascadeResolved


def read_told(file: Path) -> list[ToldCascade]:
    """The cascades of what ``argus cascades replay --out`` wrote, in the order of their openings.

    Raises:
        ConfigurationError: the file holds something else.
    """
    found: dict[str, ToldCascade] = {}
    try:
        for line in file.read_bytes().splitlines():
            event = msgspec.json.decode(line)
            found[event["cascade"]] = _with(found.get(event["cascade"]), event)
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{file}: expected a cascade event a line ({error})") from error
    return list(found.values())


def changes(
    said: Iterable[Verdict], step_seconds: int, topology: Topology, profiles: Mapping[str, str] = NO_PROFILES
) -> list[Changed]:
    """What the detector tells of a fleet, in order. ``profiles``: server → profile."""
    detector = CascadeDetector(DetectorSettings(), topology)
    return [change for verdict in said for change in detector.observe(verdict, step_seconds, profiles=profiles).changes]


def write_told(file: Path, told: Iterable[Changed]) -> None:
    """The events as the service would have sent them, a JSON document a line with its ``type``."""
    with file.open("w", encoding="utf-8") as lines:
        for change in told:
            event = event_of(change)
            lines.write(json.dumps({"type": event.type, **event.model_dump(mode="json")}) + "\n")


def _with(known: ToldCascade | None, event: dict[str, Any]) -> ToldCascade:
    members = frozenset(member["server"] for member in event["members"])
    origins = tuple(origin["server"] for origin in event["origins"])
    if event["type"] == CascadeOpened.type:
        return ToldCascade(event["step"], None, members, members, origins, origins, event["fleet"])
    if known is None:
        raise KeyError(f"cascade {event['cascade']} was never opened")
    end = event["step"] if event["type"] == CascadeResolved.type else known.end
    return replace(known, end=end, all_members=members, last_origins=origins)
