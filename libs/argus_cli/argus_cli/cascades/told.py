"""Cascades as a file of events tells them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

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


def _with(known: ToldCascade | None, event: dict[str, Any]) -> ToldCascade:
    members = frozenset(member["server"] for member in event["members"])
    origins = tuple(origin["server"] for origin in event["origins"])
    if event["type"] == CascadeOpened.type:
        return ToldCascade(event["step"], None, members, members, origins, origins, event["fleet"])
    if known is None:
        raise KeyError(f"cascade {event['cascade']} was never opened")
    end = event["step"] if event["type"] == CascadeResolved.type else known.end
    return replace(known, end=end, all_members=members, last_origins=origins)
