"""What the models topic tells of one model: its trainings, how they ended, what was refused, what serves."""

from dataclasses import dataclass, field

from argus_common.events import (
    ModelPromoted,
    ModelRolledBack,
    RetrainRefused,
    TrainingFailed,
    TrainingStarted,
)
from argus_common.lineage import ModelEvent, ModelTopicEvent, lineage

AGAIN = ("crashed", "time_limit", "data", "rolled_back")
"""Ends after which a cause still stands; who cancels a training does not want it back at once."""


@dataclass(slots=True)
class History:
    """Folds events in the order of the topic; hearing one twice changes nothing."""

    model: str
    _trainings: dict[str, TrainingStarted] = field(default_factory=dict)
    _ended: dict[str, str] = field(default_factory=dict)
    _refused: set[tuple[str, str]] = field(default_factory=set)
    _serving: dict[str, ModelEvent] = field(default_factory=dict)

    def add(self, event: ModelTopicEvent) -> None:
        """Fold an event in; one of another model is none of ours."""
        if event.model != self.model:
            return
        if isinstance(event, TrainingStarted):
            self._trainings[event.version] = event
        elif isinstance(event, RetrainRefused):
            self._refused.add((event.cause.id, event.reason))
        elif isinstance(event, ModelRolledBack):
            self._serving.setdefault(event.id(), event)
            self._ended[event.withdrawn_version] = "rolled_back"
        elif isinstance(event, ModelPromoted):
            self._serving.setdefault(event.id(), event)
            self._ended[event.version] = "promoted"
        else:
            self._ended[event.version] = event.reason if isinstance(event, TrainingFailed) else "rejected"

    def running(self) -> TrainingStarted | None:
        """The training that has begun last, if it has not ended."""
        if not self._trainings:
            return None
        last = max(self._trainings.values(), key=lambda training: training.started_ms)
        return None if last.version in self._ended else last

    def has_ended(self, version: str) -> bool:
        """Whether the topic says how this training ended."""
        return version in self._ended

    def answered(self) -> set[str]:
        """Ids of the causes that a training answers; one that failed of itself answers none."""
        trainings = [t for version, t in self._trainings.items() if self._ended.get(version) not in AGAIN]
        return {cause.id for training in trainings for cause in training.causes}

    def was_told(self, cause: str, reason: str) -> bool:
        """Whether this refusal was told before."""
        return (cause, reason) in self._refused

    def starts(self) -> list[int]:
        """When trainings began, epoch milliseconds, rising."""
        return sorted(training.started_ms for training in self._trainings.values())

    def lineage(self) -> tuple[str, ...]:
        """Versions that were promoted and not rolled back, the serving one last."""
        return lineage(self._serving.values(), self.model)

    def promotion(self) -> ModelPromoted | None:
        """By which the serving version serves; None where none was promoted, or it came by a rollback."""
        last = next(reversed(self._serving.values()), None)
        return last if isinstance(last, ModelPromoted) else None

    def last_change_ms(self) -> int | None:
        """When a training that came to an answer last began, or a version last began to serve; None = never."""
        moments = [t.started_ms for version, t in self._trainings.items() if self._ended.get(version) not in AGAIN]
        promotion = self.promotion()
        return max([*moments, *([] if promotion is None else [promotion.promoted_ms])], default=None)

    def versions(self) -> tuple[str, ...]:
        """Of all trainings that ended with a version, the oldest first."""
        made = [v for v in self._trainings if self._ended.get(v) in ("promoted", "rejected", "rolled_back")]
        return tuple(sorted(made, key=lambda version: self._trainings[version].started_ms))
