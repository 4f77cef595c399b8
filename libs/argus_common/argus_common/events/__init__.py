"""Everything that services tell each other: past-tense facts and requests; CloudEvents on the wire, additive change."""

from argus_common.events.alerts import (
    AlertEvent,
    BandPoint,
    BreachEnded,
    BreachExpected,
    BreachUpdated,
    StandingAlert,
    alert_id,
)
from argus_common.events.base import Event
from argus_common.events.cascades import (
    CascadeEvent,
    CascadeFollower,
    CascadeMember,
    CascadeOpened,
    CascadeOrigin,
    CascadeResolved,
    CascadeUpdated,
    OnsetIn,
)
from argus_common.events.codec import Headers, Record, decode, decode_any, decode_batch, encode, headers_of
from argus_common.events.commands import (
    BreachMitigated,
    MaintenanceScheduled,
    RetrainRequested,
    ScenarioRequested,
    TrainingCancelRequested,
)
from argus_common.events.forecast import (
    SCORED_LEADS,
    Breach,
    Driver,
    ForecastIssued,
    ForecastScore,
    ModelReference,
    Quality,
    TimeToThreshold,
)
from argus_common.events.gate import GateCheck, GateRatio, GateResult
from argus_common.events.model import MODEL_NAME, ModelPromoted, ModelRolledBack
from argus_common.events.training import (
    ModelRejected,
    RetrainRefused,
    TrainingCause,
    TrainingFailed,
    TrainingStarted,
)
from argus_common.events.window import WindowClosed

__all__ = [
    "MODEL_NAME",
    "SCORED_LEADS",
    "AlertEvent",
    "BandPoint",
    "Breach",
    "BreachEnded",
    "BreachExpected",
    "BreachMitigated",
    "BreachUpdated",
    "CascadeEvent",
    "CascadeFollower",
    "CascadeMember",
    "CascadeOpened",
    "CascadeOrigin",
    "CascadeResolved",
    "CascadeUpdated",
    "Driver",
    "Event",
    "ForecastIssued",
    "ForecastScore",
    "GateCheck",
    "GateRatio",
    "GateResult",
    "Headers",
    "MaintenanceScheduled",
    "ModelPromoted",
    "ModelReference",
    "ModelRejected",
    "ModelRolledBack",
    "OnsetIn",
    "Quality",
    "Record",
    "RetrainRefused",
    "RetrainRequested",
    "ScenarioRequested",
    "StandingAlert",
    "TimeToThreshold",
    "TrainingCancelRequested",
    "TrainingCause",
    "TrainingFailed",
    "TrainingStarted",
    "WindowClosed",
    "alert_id",
    "decode",
    "decode_any",
    "decode_batch",
    "encode",
    "headers_of",
]
