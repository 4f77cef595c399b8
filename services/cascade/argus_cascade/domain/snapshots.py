"""All that a detector knows, as bytes and back. Arrays as they are in memory, the rest as JSON; nothing is code."""

import io
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from argus_cascade.domain.evidence import Evidence, EvidenceSettings
from argus_cascade.domain.followers import Forecasts, Past
from argus_cascade.domain.grouping import Grouping, GroupingSettings
from argus_cascade.domain.grouping.counts import Counts, Lesson
from argus_cascade.domain.grouping.episodes import Episodes
from argus_cascade.domain.grouping.lessons import Lessons
from argus_cascade.domain.grouping.recurring import Recurring
from argus_cascade.domain.life.cascade import Cascade
from argus_cascade.domain.recent import Recent
from argus_cascade.domain.topology import Topology

VERSION = 3
EPISODES = ("level", "began", "risen", "stirred")
COUNTS = ("servers", "risen", "square", "beyond")

Arrays = dict[str, npt.NDArray[Any]]
Known = tuple[Evidence | None, Grouping | None, Recent, "State"]


@dataclass(slots=True)
class State:
    """What is no array. ``profiles``: server → profile."""

    cascades: tuple[Cascade, ...] = ()
    profiles: dict[str, str] = field(default_factory=dict)
    pasts: tuple[Past, ...] = ()
    forecasts: Forecasts = field(default_factory=Forecasts)


class _Document(msgspec.Struct):
    version: int
    fleet: str
    step_seconds: int
    targets: tuple[str, ...]
    cascades: tuple[Cascade, ...]
    profiles: dict[str, str]
    pasts: tuple[Past, ...]
    forecasts: Forecasts
    recurring: Recurring
    next: int


def packed(evidence: Evidence | None, grouping: Grouping | None, recent: Recent, state: State) -> bytes:
    """The bytes of all that is known."""
    arrays: Arrays = {"recent": recent.surprise, "servers": np.array(recent.servers, np.str_)}
    if grouping:
        arrays |= {f"episodes.{name}": getattr(grouping.episodes, name) for name in EPISODES}
        arrays |= {f"counts.{name}": getattr(grouping.counts, name) for name in COUNTS}
        waiting = grouping.lessons.waiting
        arrays |= {f"lessons.{name}": np.array([getattr(one, name) for one in waiting]) for name in COUNTS}
    if evidence:
        arrays |= {f"evidence.{name}": array for name, array in evidence.snapshot().items()}
        arrays["harm"] = evidence.harm
    document = _Document(
        VERSION,
        evidence.fleet if evidence else "",
        grouping.step_seconds if grouping else 0,
        evidence.targets if evidence else (),
        state.cascades,
        state.profiles,
        state.pasts,
        state.forecasts,
        grouping.recurring if grouping else Recurring(),
        recent.next,
    )
    arrays["document"] = np.frombuffer(msgspec.json.encode(document), np.uint8)
    file = io.BytesIO()
    in_order = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    np.savez(file, allow_pickle=False, **in_order)  # the same knowledge has the same bytes, however it lay in memory
    return file.getvalue()


def unpacked(snapshot: bytes, settings: EvidenceSettings, grouping: GroupingSettings, topology: Topology) -> Known:
    """What `packed` was given.

    Raises:
        ValueError: the snapshot is of another version.
    """
    arrays = dict(np.load(io.BytesIO(snapshot), allow_pickle=False))
    version = msgspec.json.decode(arrays["document"].tobytes(), type=dict)["version"]
    if version != VERSION:
        raise ValueError(
            f"a snapshot of version {version}: this is Argus with version {VERSION}; delete it to begin anew"
        )
    document = msgspec.json.decode(arrays["document"].tobytes(), type=_Document)
    servers = tuple(arrays["servers"].tolist())
    state = State(document.cascades, document.profiles, document.pasts, document.forecasts)
    recent = Recent(servers, arrays["recent"], document.next)
    return (
        _evidence(arrays, document, settings),
        _grouping(arrays, document, servers, grouping, topology),
        recent,
        state,
    )


def _evidence(arrays: Arrays, document: _Document, settings: EvidenceSettings) -> Evidence | None:
    if "harm" not in arrays:
        return None
    begun = Evidence(document.fleet, document.targets, arrays["harm"], settings)
    own = {name.removeprefix("evidence."): array for name, array in arrays.items() if name.startswith("evidence.")}
    return begun.restore(own)


def _grouping(
    arrays: Arrays, document: _Document, servers: tuple[str, ...], settings: GroupingSettings, topology: Topology
) -> Grouping | None:
    if "counts.servers" not in arrays:
        return None
    episodes = Episodes(servers, *(arrays[f"episodes.{name}"] for name in EPISODES))
    counts = Counts(*(arrays[f"counts.{name}"] for name in COUNTS))
    waiting = zip(*(arrays[f"lessons.{name}"] for name in COUNTS), strict=True)
    lessons = Lessons(deque(Lesson(*one) for one in waiting))
    return Grouping(topology, document.step_seconds, settings, episodes, counts, lessons, document.recurring)
