"""Keeps a complaint that repeats itself from filling the dead-letter topic: told once, counted always."""

from dataclasses import dataclass, field

_REMEMBERED = 10_000


@dataclass(slots=True)
class RepeatLimit:
    """Lets the same complaint through once per ``seconds``.

    A fleet whose producers send one metric too many complains with every single record, although its other metrics
    are fine; a letter per record would double the traffic and say nothing new.
    """

    seconds: float = 600.0
    until: dict[int, float] = field(default_factory=dict)
    """By the complaint's hash: the texts themselves could fill the memory."""

    def due(self, complaint: str, now: float) -> bool:
        """Whether it should be told now (monotonic seconds)."""
        key = hash(complaint)
        if now < self.until.get(key, -1.0):
            return False
        if len(self.until) >= _REMEMBERED:
            self.until.clear()
        self.until[key] = now + self.seconds
        return True
