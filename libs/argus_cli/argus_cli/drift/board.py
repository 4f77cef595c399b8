"""Events of drifts folded into what stands and what is over."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from argus_common.events import DriftCleared, DriftDetected, DriftEvent, DriftUpdated

KINDS: Sequence[type[DriftDetected | DriftUpdated | DriftCleared]] = (DriftDetected, DriftUpdated, DriftCleared)


@dataclass(slots=True)
class DriftBoard:
    """Takes events in any order between drifts, in order within one. Taking an event twice changes nothing."""

    standing: dict[str, DriftEvent] = field(default_factory=dict)
    over: dict[str, DriftCleared] = field(default_factory=dict)

    def add(self, event: DriftEvent) -> bool:
        """Whether the event said anything new."""
        known = self.standing.get(event.drift)
        if event.drift in self.over or (known is not None and known.sequence >= event.sequence):
            return False
        if isinstance(event, DriftCleared):
            self.standing.pop(event.drift, None)
            self.over[event.drift] = event
        else:
            self.standing[event.drift] = event
        return True

    def worst(self) -> list[DriftEvent]:
        """What stands: of many servers before single ones, and of these the worst first."""
        return sorted(self.standing.values(), key=lambda one: (one.scope == "server", -one.score, one.drift))

    def last_over(self, count: int) -> list[DriftCleared]:
        """The newest ends, newest first."""
        return sorted(self.over.values(), key=lambda one: -(one.step + 1) * one.step_seconds)[:count]
