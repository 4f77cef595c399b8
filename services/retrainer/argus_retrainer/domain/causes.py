"""Why a model should be trained anew: drift that stands, and people who ask."""

from dataclasses import dataclass, field

from argus_common.events import RetrainRequested, TrainingCancelRequested, TrainingCause


@dataclass(slots=True)
class Causes:
    """Folds drift and commands in, for one model; hearing one twice changes nothing."""

    model: str
    _asked: dict[str, TrainingCause] = field(default_factory=dict)
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

    def add_drift(self, drift: str, fleet: str, detected_ms: int) -> None:
        """Drift was detected; told again it is the same cause."""
        if drift not in self._asked:
            self._asked[drift] = TrainingCause(kind="drift", id=drift, fleet=fleet, asked_ms=detected_ms)

    def clear_drift(self, drift: str) -> None:
        """It is over: nobody needs to train for it."""
        self._asked.pop(drift, None)

    def cancel_of(self, started_ms: int) -> TrainingCancelRequested | None:
        """The request to end a training that began then, if there is one."""
        cancel = self._cancel
        return cancel if cancel is not None and cancel.requested_ms >= started_ms else None

    def pending(self, answered: set[str]) -> list[TrainingCause]:
        """Those that no training answers yet, the oldest first."""
        return sorted((c for c in self._asked.values() if c.id not in answered), key=lambda c: (c.asked_ms, c.id))
