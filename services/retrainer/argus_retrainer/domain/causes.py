"""Why a model should be trained anew: drift that stands, and people who ask."""

from dataclasses import dataclass, field

from argus_common.events import RetrainRequested, TrainingCancelRequested, TrainingCause
from argus_common.events.drift import DriftCleared, DriftEvent
from argus_common.events.training import RefusedReason


@dataclass(frozen=True, slots=True)
class Refusal:
    """A cause that is not served, and why."""

    cause: TrainingCause
    reason: RefusedReason
    detail: str


@dataclass(frozen=True, slots=True)
class _Drift:
    """What its newest event says: a cause, and why it is none for a training, None = it is one."""

    sequence: int
    cause: TrainingCause
    useless: Refusal | None


@dataclass(slots=True)
class Causes:
    """Folds drift and commands in, for one model; hearing one twice changes nothing."""

    model: str
    _asked: dict[str, TrainingCause] = field(default_factory=dict)
    _drifts: dict[str, _Drift | None] = field(default_factory=dict)
    """None = it is over: an event that is told again does not bring it back."""
    _cancel: TrainingCancelRequested | None = None

    def add_command(self, command: RetrainRequested | TrainingCancelRequested) -> None:
        """Somebody asks for a training, or for the end of one."""
        if command.model != self.model:
            return
        if isinstance(command, TrainingCancelRequested):
            if self._cancel is None or command.requested_ms > self._cancel.requested_ms:
                self._cancel = command
            return
        told = ": ".join(text for text in (command.by, command.reason) if text)
        cause = TrainingCause(kind="command", id=command.id(), asked_ms=command.requested_ms, reason=told[:1000])
        self._asked[cause.id] = cause

    def add_drift(self, event: DriftEvent, told_ms: int) -> None:
        """A drift was detected, became clearer, or is over. All its life it is one cause, asked for when a training
        first seemed to help.
        """
        before = self._drifts.get(event.drift)
        if isinstance(event, DriftCleared):
            self._drifts[event.drift] = None
        elif event.drift not in self._drifts or (before is not None and event.sequence > before.sequence):
            stood = before is not None and before.useless is None
            self._drifts[event.drift] = _drift(event, before.cause.asked_ms if before and stood else told_ms)

    def cancel_of(self, started_ms: int) -> TrainingCancelRequested | None:
        """The request to end a training that began then, if there is one."""
        cancel = self._cancel
        return cancel if cancel is not None and cancel.requested_ms >= started_ms else None

    def pending(self, answered: set[str]) -> list[TrainingCause]:
        """Those that no training answers yet, the oldest first."""
        drifts = [drift.cause for drift in self._drifts.values() if drift is not None and drift.useless is None]
        asked = [*self._asked.values(), *drifts]
        return sorted((c for c in asked if c.id not in answered), key=lambda c: (c.asked_ms, c.id))

    def useless(self, answered: set[str]) -> list[Refusal]:
        """Drifts that stand and that no training would help, and why."""
        found = [drift.useless for drift in self._drifts.values() if drift is not None and drift.useless is not None]
        return [refusal for refusal in found if refusal.cause.id not in answered]


def _drift(event: DriftEvent, asked_ms: int) -> _Drift:
    cause = TrainingCause(
        kind="drift", id=event.drift, fleet=event.fleet, asked_ms=asked_ms, reason=event.message[:1000]
    )
    return _Drift(event.sequence, cause, _useless(event, cause))


def _useless(event: DriftEvent, cause: TrainingCause) -> Refusal | None:
    """One model serves all servers: what a few do differently is no reason to train it anew."""
    if event.scope == "server":
        told = f"{event.affected} of {event.watched} servers drift alone; a model is trained for profiles and fleets"
        return Refusal(cause, "single_servers", told)
    if event.retraining_helps == "no":
        return Refusal(cause, "no_help", (event.retraining_reason or "the drift says that it would not help")[:1000])
    return None
