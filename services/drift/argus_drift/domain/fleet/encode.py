"""A drift as an event: the same drift always gives the same bytes."""

import hashlib
from datetime import UTC, datetime

import numpy as np

from argus_common.events import DriftCleared, DriftDetected, DriftUpdated
from argus_common.events.drift import DriftedServer, DriftEvent, DriftMeasures
from argus_common.levels import level_of
from argus_drift.domain.fleet.drift import Drift, Told
from argus_drift.domain.fleet.figures import Figures
from argus_drift.domain.fleet.harm import Helps

TOLD_SERVERS = 100
SERVER_SCORE = 55.0
"""A server alone is never worse than degraded: models are trained on many."""


def score_in(drift: Drift, score: float) -> float:
    """The score as it is told."""
    return round(min(score, SERVER_SCORE) if drift.scope == "server" else score, 1)


def event_of(
    drift: Drift, told: Told, key: tuple[str, int], step: int, figures: Figures, targets: tuple[str, ...],
    score: float, helps: Helps,
) -> DriftEvent:  # fmt: skip
    """What is told of a drift at the end of ``step``; ``key``: fleet and step length in seconds."""
    fleet, step_seconds = key
    worst = sorted(drift.members.items(), key=lambda pair: (-pair[1].excess, pair[0]))[:TOLD_SERVERS]
    common = {
        "drift": drift.id, "fingerprint": hashlib.sha256(drift.id.encode()).hexdigest()[:16],
        "sequence": drift.sequence, "fleet": fleet, "step_seconds": step_seconds, "step": step,
        "detected": drift.detected, "since": drift.since, "scope": drift.scope, "profile": drift.profile,
        "kind": drift.kind, "targets": drift.targets,
        "servers": [
            DriftedServer(server=name, profile=one.profile, kind=one.kind, target=one.target, since=one.since,
                          excess=round(one.excess, 2))
            for name, one in worst
        ],
        "affected": drift.affected, "watched": drift.watched, "certainty": round(1 - min(drift.chance, 1.0), 4),
        "severity": level_of(score_in(drift, score)), "score": score_in(drift, score),
        "measures": _measures(figures, targets), "retraining_helps": helps.answer, "retraining_reason": helps.reason,
        "message": _message(drift, step_seconds), "look_first": _look_first(drift, step_seconds),
    }  # fmt: skip
    if told == "cleared":
        seconds = (step + 1 - drift.since) * step_seconds
        return DriftCleared.model_validate(common | {"outcome": drift.outcome, "duration_seconds": max(0, seconds)})
    return (DriftDetected if told == "detected" else DriftUpdated).model_validate(common)


def _measures(figures: Figures, targets: tuple[str, ...]) -> list[DriftMeasures]:
    def number(values: np.ndarray, t: int) -> float | None:
        known = values[t][np.isfinite(values[t])]
        return round(float(known.mean()), 4) if known.size else None

    names = {"prediction_error_rate": "error_rate"} | {
        name: name for name in DriftMeasures.model_fields if name not in ("target", "prediction_error_rate")
    }
    return [
        DriftMeasures.model_validate(
            {"target": target} | {field: number(getattr(figures, name), t) for field, name in names.items()}
        )
        for t, target in enumerate(targets)
    ]


def _whose(drift: Drift) -> str:
    if drift.scope == "server":
        return f"server {next(iter(drift.members))}"
    return f"the {drift.profile} servers" if drift.scope == "profile" else "the fleet"


def _when(step: int, step_seconds: int) -> str:
    return datetime.fromtimestamp(step * step_seconds, UTC).strftime("%a %d %b %H:%M")


def _message(drift: Drift, step_seconds: int) -> str:
    changes = {"error": "are forecast worse", "calibration": "are forecast with too narrow bands"}
    what = changes.get(drift.kind, f"behave differently ({drift.kind})")
    share = "" if drift.scope == "server" else f"{drift.affected} of {drift.watched} servers of "
    named = ", ".join(drift.targets[:3])
    return f"{share}{_whose(drift)} {what} for good since {_when(drift.since, step_seconds)} UTC: {named}"


def _look_first(drift: Drift, step_seconds: int) -> str:
    return f"what was changed on {_whose(drift)} about {_when(drift.since, step_seconds)} UTC"
