"""Events of a drift, as the drift service tells them."""

from typing import Any, TypeVar

from argus_common.events import DriftCleared, DriftDetected, DriftEvent, DriftUpdated

STEP = 5_785_632
"""2025-01-01T00:00:00Z, of five minutes."""

EventT = TypeVar("EventT", bound=DriftEvent)


def drift_detected(drift: str = "d1", **fields: Any) -> DriftDetected:  # noqa: ANN401
    """Half of a profile drifts."""
    return _event(DriftDetected, drift, 0, fields)


def drift_updated(drift: str = "d1", sequence: int = 1, **fields: Any) -> DriftUpdated:  # noqa: ANN401
    """Something about it became clearer."""
    return _event(DriftUpdated, drift, sequence, fields)


def drift_cleared(drift: str = "d1", sequence: int = 9) -> DriftCleared:
    """It is over."""
    return _event(DriftCleared, drift, sequence, {"outcome": "returned", "duration_seconds": 86_400})


def _event(kind: type[EventT], drift: str, sequence: int, fields: dict[str, Any]) -> EventT:
    usual = {
        "fingerprint": "0" * 16,
        "fleet": "default",
        "step_seconds": 300,
        "step": STEP + 288 + sequence,
        "detected": STEP + 288,
        "since": STEP,
        "scope": "profile",
        "profile": "web",
        "kind": "level",
        "targets": ["cpu_used_pct"],
        "servers": [],
        "affected": 2,
        "watched": 4,
        "certainty": 0.97,
        "severity": "warning",
        "score": 62.0,
        "retraining_helps": "yes",
        "retraining_reason": "forecasts lose more than they did",
    }
    return kind.model_validate({**usual, "drift": drift, "sequence": sequence, **fields})
