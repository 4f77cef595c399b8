"""Everything that services tell each other: past-tense facts and requests; CloudEvents on the wire, additive change."""

from argus_common.events.base import Event
from argus_common.events.codec import Headers, Record, decode, decode_batch, encode, headers_of
from argus_common.events.commands import ScenarioRequested
from argus_common.events.forecast import (
    Breach,
    Driver,
    ForecastIssued,
    ForecastScore,
    ModelReference,
    Quality,
    TimeToThreshold,
)
from argus_common.events.model import MODEL_NAME, ModelPromoted, ModelRolledBack
from argus_common.events.window import WindowClosed

__all__ = [
    "MODEL_NAME",
    "Breach",
    "Driver",
    "Event",
    "ForecastIssued",
    "ForecastScore",
    "Headers",
    "ModelPromoted",
    "ModelReference",
    "ModelRolledBack",
    "Quality",
    "Record",
    "ScenarioRequested",
    "TimeToThreshold",
    "WindowClosed",
    "decode",
    "decode_batch",
    "encode",
    "headers_of",
]
