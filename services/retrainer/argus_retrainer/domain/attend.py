"""What to do about a training that has begun and not ended, from what is known of its job."""

from dataclasses import dataclass
from typing import Literal

from argus_common.events import TrainingCancelRequested, TrainingStarted

Step = Literal["finish", "cancel", "expire", "give_up", "launch", "wait"]

MOST_LAUNCHES = 5
"""A job that dies again and again dies of what it does."""


@dataclass(frozen=True, slots=True)
class JobState:
    """``ended``: its result lies there. ``runs``: its process does. ``launches``: how often it was started."""

    ended: bool
    runs: bool
    launches: int


def attend(
    training: TrainingStarted,
    job: JobState,
    *,
    cancel: TrainingCancelRequested | None,
    now_ms: int,
    limit_ms: int,
) -> Step:
    """The next step.

    Args:
        training: the one that is attended to.
        job: its job.
        cancel: somebody wants its end.
        now_ms: wall clock.
        limit_ms: how long a training may take.
    """
    if cancel is not None:
        return "cancel"
    if job.ended:
        return "finish"
    if now_ms - training.started_ms > limit_ms:
        return "expire"
    if job.runs:
        return "wait"
    return "give_up" if job.launches >= MOST_LAUNCHES else "launch"
