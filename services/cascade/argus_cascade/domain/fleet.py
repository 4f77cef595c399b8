"""What the service remembers of a fleet beside what its detector knows, as bytes and back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from argus_cascade.domain.followers import Forecasts
from argus_cascade.domain.standing import Standing
from argus_common.events import CascadeEvent, CascadeOpened, CascadeResolved, CascadeUpdated

VERSION = 1
KINDS: Sequence[type[CascadeEvent]] = (CascadeOpened, CascadeUpdated, CascadeResolved)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the last tick said of a fleet. ``health``: 0 … 100. ``abnormal``, ``risk``: 0 … 1. ``watched``: servers.
    ``forecasts``: what came of the followers that were foretold so far.
    """

    health: float
    abnormal: float
    risk: float
    watched: int
    forecasts: Forecasts = field(default_factory=Forecasts)


class FleetState(msgspec.Struct):
    """``detector``: its snapshot. ``standing``: (type and bytes of the event, critical, ended_ms) of each cascade."""

    version: int
    ticked: int
    heard: dict[str, int]
    detector: bytes
    standing: list[tuple[str, bytes, bool, int | None]]
    figures: Figures | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(FleetState).decode


def packed(
    ticked: int, heard: dict[str, int], detector: bytes, standing: dict[str, Standing], figures: Figures | None
) -> bytes:
    """The state of a fleet."""
    told = [
        (one.event.type, one.event.model_dump_json().encode(), one.critical, one.ended_ms) for one in standing.values()
    ]
    return _encode(FleetState(VERSION, ticked, heard, detector, told, figures))


def unpacked(raw: bytes) -> FleetState:
    """The inverse of `packed`.

    Raises:
        ValueError: it is of another version.
    """
    try:
        state = _decode(raw)
    except msgspec.DecodeError as error:
        raise ValueError(f"a fleet's state can't be read: {error}") from error
    if state.version != VERSION:
        raise ValueError(f"a fleet's state is of version {state.version}, this is {VERSION}")
    return state


def standing_of(state: FleetState) -> dict[str, Standing]:
    """The cascades that were open, or had just ended."""
    kinds = {kind.type: kind for kind in KINDS}
    found = [
        Standing(kinds[kind].model_validate_json(value), critical, ended, kind == CascadeResolved.type)
        for kind, value, critical, ended in state.standing
    ]
    return {one.event.cascade: one for one in found}
