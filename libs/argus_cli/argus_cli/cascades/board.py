"""Events of cascades folded into what is open and what is over."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from argus_common.events import CascadeEvent, CascadeOpened, CascadeResolved, CascadeUpdated

KINDS: Sequence[type[CascadeOpened | CascadeUpdated | CascadeResolved]] = (
    CascadeOpened,
    CascadeUpdated,
    CascadeResolved,
)


@dataclass(slots=True)
class CascadeBoard:
    """Takes events in any order between cascades, in order within one. Taking an event twice changes nothing."""

    standing: dict[str, CascadeEvent] = field(default_factory=dict)
    over: dict[str, CascadeResolved] = field(default_factory=dict)

    def add(self, event: CascadeEvent) -> bool:
        """Whether the event said anything new."""
        known = self.standing.get(event.cascade)
        if event.cascade in self.over or (known is not None and known.sequence >= event.sequence):
            return False
        if isinstance(event, CascadeResolved):
            self.standing.pop(event.cascade, None)
            self.over[event.cascade] = event
        else:
            self.standing[event.cascade] = event
        return True

    def worst(self) -> list[CascadeEvent]:
        """What is open, worst first; what somebody works on comes last."""
        return sorted(self.standing.values(), key=lambda one: (one.silenced, -one.score, one.cascade))

    def last_over(self, count: int) -> list[CascadeResolved]:
        """The newest ends, newest first."""
        return sorted(self.over.values(), key=lambda one: -(one.step + 1) * one.step_seconds)[:count]
