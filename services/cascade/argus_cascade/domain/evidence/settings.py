"""What can be chosen about evidence, each with a meaning."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """How much evidence makes a server abnormal, and over how long it is gathered.

    ``level``: chance that a healthy server shows so much in a step; above, a server is never called abnormal.
    ``steps_per_day``: of short steps a day has many, so there the chance is less: a healthy server is called abnormal
        about once a day at most (`level_after`).
    ``false_discovery_rate``: largest share of the abnormal servers of a step that may be healthy.
    ``release``: an abnormal server is so until its evidence falls below this share of the limit.
    ``recent_steps``, ``slow_steps``: spans over which surprises are gathered, side by side: sizes over the one, since
        what is sudden is large; values with their sign over the other, since what is slow is small but lasts.
    ``null_steps``: steps that what is usual is learned from; older ones fade.
    ``forget_steps``: a server that has not been heard of for so long is forgotten.
    """

    level: float = 0.003
    steps_per_day: float = 288
    false_discovery_rate: float = 0.05
    release: float = 0.5
    recent_steps: int = 5
    slow_steps: int = 24
    null_steps: int = 20_000
    forget_steps: int = 288

    def level_after(self, steps: int) -> float:
        """``level``, or less: what a server that was watched for so many steps, ≥ 1, may expect is one false alarm, and
        one more a day.

        >>> EvidenceSettings().level_after(10_000)
        0.003
        >>> round(EvidenceSettings(steps_per_day=1440).level_after(14_400), 5)
        0.00076
        """
        return min(self.level, 1 / steps + 1 / self.steps_per_day)
