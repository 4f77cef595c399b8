"""Which forecasts make a tick: a fleet's step is over once nothing more is to be waited for."""

from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

LATELY_STEPS = 3
"""A server that was heard of within so many steps is waited for."""
MANY_MISSING = 0.1
"""Share of those waited for. A few that are missing have fallen silent; many are on their way, for whoever forecasts
them is behind: then the patience is greater.
"""
PATIENCE = 20.0
"""Times the settling time."""

Cause = Literal["complete", "later_step", "settled"]
CAUSES: tuple[Cause, ...] = ("complete", "later_step", "settled")
Taken = Literal["taken", "late", "repeated"]

RowT = TypeVar("RowT")
"""What is kept of a forecast until its step is over."""


@dataclass(frozen=True, slots=True)
class Gathered(Generic[RowT]):
    """A step that is over. ``published_ms``: when its newest forecast was published, epoch milliseconds.

    ``first``: offset of its first record.
    """

    step: int
    rows: dict[str, RowT]
    published_ms: int
    cause: Cause
    first: int = 0


@dataclass(slots=True)
class Collector(Generic[RowT]):
    """Gathers the forecasts of one fleet, step by step.

    ``settle_seconds``: so long, wall clock, after the last new forecast a step is over even if servers are missing.
    ``ticked``: the last step that is over, −1 = none. ``heard``: server → newest step that it was heard of in, of those
    that are waited for.
    """

    settle_seconds: float
    ticked: int = -1
    heard: dict[str, int] = field(default_factory=dict)
    _step: int = -1
    _gathered: dict[str, RowT] = field(default_factory=dict)
    _first: int = 0
    _newest: float = 0.0
    _published_ms: int = 0

    def take(
        self, server: str, step: int, row: RowT, offset: int, published_ms: int, now: float
    ) -> tuple[Taken, Gathered[RowT] | None]:
        """What became of a forecast, and the step that it shows to be over.

        Args:
            server: of this fleet; its forecasts in the order of the topic.
            step: origin of the forecast.
            row: what it says.
            offset: of its record.
            published_ms: when it was published.
            now: monotonic seconds.
        """
        if step <= self.ticked or step < self._step or (server in self._gathered and step == self._step):
            return self._again(server, step), None
        over = self._close("later_step") if self._gathered and step > self._step else None
        if not self._gathered:
            self._step, self._first = step, offset
        self._gathered[server], self.heard[server] = row, step
        self._newest, self._published_ms = now, max(self._published_ms, published_ms)
        return "taken", over

    def due(self, now: float, *, at_end: bool) -> Gathered[RowT] | None:
        """The step, if it is over. ``at_end``: nothing more waits on the topic, as the broker says."""
        if not self._gathered:
            return None
        missing = 1 - len(self._gathered) / len(self.heard)
        if missing == 0 and self.ticked >= 0:
            return self._close("complete")
        patience = PATIENCE if self.ticked >= 0 and missing > MANY_MISSING else 1.0
        if at_end and now - self._newest >= patience * self.settle_seconds:
            return self._close("settled")
        return None

    def may_settle(self, now: float) -> bool:
        """Whether it is worth asking the broker if more waits."""
        return bool(self._gathered) and now - self._newest >= self.settle_seconds

    def first_needed(self) -> int | None:
        """Offset of the first record that is not in a tick yet, None = all are."""
        return self._first if self._gathered else None

    def _again(self, server: str, step: int) -> Taken:
        """A server whose forecast came too late is waited for from now on."""
        if self.heard.get(server, -1) >= step:
            return "repeated"
        self.heard[server] = step
        return "late"

    def _close(self, cause: Cause) -> Gathered[RowT]:
        over = Gathered(self._step, self._gathered, self._published_ms, cause, self._first)
        self.ticked = self._step
        self.heard = {server: step for server, step in self.heard.items() if step > self.ticked - LATELY_STEPS}
        self._gathered, self._step, self._published_ms = {}, -1, 0
        return over
