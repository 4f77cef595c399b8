"""Records of the predictions topic to what is needed of a forecast; the rest of the bytes is skipped unread."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, Protocol, TypeVar

import msgspec
from msgspec import Meta

from argus_common.errors import MalformedEventError
from argus_common.events import ForecastIssued
from argus_common.events.base import LAST_STEP
from argus_common.events.codec import MAX_TYPE_SHOWN

UNREADABLE = ("empty", "future", "invalid_field", "not_json", "wrong_type")
FUTURE_MS = 3_600_000
"""A step that ends so far ahead of the wall clock is refused: every true one after it would come too late."""

Name = Annotated[str, Meta(min_length=1, max_length=253)]
Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]


class Crossing(msgspec.Struct, frozen=True, gc=False):
    """Seconds until a limit is crossed, None = not within the horizon."""

    p10: Seconds | None = None
    p50: Seconds | None = None
    p90: Seconds | None = None


class Breach(msgspec.Struct, frozen=True, gc=False):
    """How likely a limit is crossed, by span, and when."""

    target: str
    probability: dict[str, Share]
    time_to_threshold: Crossing = Crossing()


class Score(msgspec.Struct, frozen=True, gc=False):
    """How an earlier forecast did."""

    target: str
    lead: int
    pit: Share
    residual: float
    pinball: Annotated[float, Meta(ge=0)] = 0.0
    model_pinball: Annotated[float, Meta(ge=0)] | None = None


class Model(msgspec.Struct, frozen=True, gc=False):
    """Which model spoke; the empty name is what says nothing."""

    name: str = ""
    version: str = ""
    demoted: bool = False


class Forecast(msgspec.Struct, frozen=True):
    """What is needed of a ForecastIssued."""

    fleet: Name
    server: Name
    origin: Annotated[int, Meta(ge=0, le=LAST_STEP)]
    step_seconds: Annotated[int, Meta(ge=10, le=3600)]
    observed: dict[str, float]
    risk: Annotated[float, Meta(ge=0, le=100)]
    profile: str = "generic"
    model: Model = Model()
    breaches: list[Breach] = []
    scores: list[Score] = []

    @property
    def end_ms(self) -> int:
        """End of the origin step, epoch milliseconds."""
        return (self.origin + 1) * self.step_seconds * 1000


class Received(Protocol):
    """A record of the predictions topic."""

    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...  # noqa: D102


ReceivedT = TypeVar("ReceivedT", bound=Received)
Reason = Literal["empty", "future", "invalid_field", "not_json", "wrong_type"]

_TYPE = ForecastIssued.type.encode()
_decode = msgspec.json.Decoder(Forecast).decode


@dataclass(frozen=True, slots=True)
class Decoded(Generic[ReceivedT]):
    """A batch: the readable records, in order, and the others with what is wrong."""

    good: list[tuple[ReceivedT, Forecast]]
    bad: list[tuple[ReceivedT, MalformedEventError]]


def decode_forecasts(records: Iterable[ReceivedT], now_ms: int) -> Decoded[ReceivedT]:
    """Decode each record on its own. ``now_ms``: wall clock, epoch milliseconds."""
    decoded: Decoded[ReceivedT] = Decoded([], [])
    for record in records:
        try:
            decoded.good.append((record, _forecast(record, now_ms)))
        except MalformedEventError as error:
            decoded.bad.append((record, error))
    return decoded


def _forecast(record: Received, now_ms: int) -> Forecast:
    for name, kind in record.headers:
        if name == "ce_type" and kind != _TYPE:
            said = kind[:MAX_TYPE_SHOWN].decode(errors="replace")
            raise MalformedEventError("wrong_type", f"expected {ForecastIssued.type}, the record says {said}")
    if not record.value:
        raise MalformedEventError("empty", f"expected {ForecastIssued.type}, the record has no value")
    try:
        found = _decode(record.value)
    except msgspec.ValidationError as error:
        raise MalformedEventError("invalid_field", f"{ForecastIssued.type}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedEventError("not_json", f"{ForecastIssued.type}: {error}") from error
    if found.end_ms > now_ms + FUTURE_MS:
        raise MalformedEventError("future", f"step {found.origin} of {found.step_seconds} s ends more than 1 h ahead")
    return found
