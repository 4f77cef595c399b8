"""The event that says how a training ended, from the result of its job."""

from collections.abc import Sequence

from argus_common.events import ModelPromoted, ModelRejected, TrainingCause, TrainingFailed, TrainingStarted
from argus_common.events.training import FailedReason
from argus_retrainer.job.files import JobResult

BY = "retrainer"
MOST_CAUSES, MOST_DETAIL = 3, 4000


def ending(
    training: TrainingStarted, result: JobResult, served: Sequence[str]
) -> ModelPromoted | ModelRejected | TrainingFailed:
    """Promoted, rejected or failed; a result always gives the same event. ``served``: versions, the newest last."""
    if result.gate is None:
        return failed(training, result.reason, result.detail, result.ended_ms)
    if result.outcome != "passed":
        return ModelRejected(
            model=training.model,
            version=training.version,
            family=result.family,
            manifest_sha256=result.manifest_sha256,
            gate=result.gate,
            rejected_ms=result.ended_ms,
        )
    before = [version for version in served if version != training.version]
    return ModelPromoted(
        model=training.model,
        version=training.version,
        family=result.family,
        manifest_sha256=result.manifest_sha256,
        uri=result.uri,
        previous_version=before[-1] if before else None,
        reason=because(training.causes),
        by=BY,
        scores=result.scores,
        gate=result.gate,
        promoted_ms=result.ended_ms,
    )


def failed(training: TrainingStarted, reason: FailedReason, detail: str, at_ms: int) -> TrainingFailed:
    """A training without a version."""
    return TrainingFailed(
        model=training.model, version=training.version, reason=reason, detail=detail[-MOST_DETAIL:], failed_ms=at_ms
    )


def because(causes: Sequence[TrainingCause]) -> str:
    """Why a model was trained, for a person."""
    told = [
        ": ".join(text for text in (cause.kind, cause.reason or cause.id) if text) for cause in causes[:MOST_CAUSES]
    ]
    more = len(causes) - MOST_CAUSES
    return "; ".join([*told, *([f"and {more} more causes"] if more > 0 else [])])
