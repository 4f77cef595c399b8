"""Steps that wait until their window is over, so that what goes on does not speak of itself."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from argus_cascade.domain.grouping.counts import Lesson


@dataclass(slots=True)
class Lessons:
    """Oldest first."""

    waiting: deque[Lesson] = field(default_factory=deque)

    def after(self, lesson: Lesson, steps: int) -> Iterator[Lesson]:
        """Put ``lesson`` off, and take out those that have waited for so many ``steps``."""
        self.waiting.append(lesson)
        while len(self.waiting) > steps:
            yield self.waiting.popleft()

    def drop(self) -> None:
        """What has led to a cascade says nothing about ordinary days."""
        self.waiting.clear()
