"""What can be chosen about evidence, each with a meaning."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """How much evidence makes a server abnormal, and over how long it is gathered.

    ``level``: chance that a healthy server shows so much in a step; above, a server is never called abnormal.
    ``false_discovery_rate``: largest share of the abnormal servers of a step that may be healthy.
    ``release``: an abnormal server is so until its evidence falls below this share of the limit.
    ``recent_steps``, ``slow_steps``: spans over which surprises are gathered, side by side: sizes over the one, since
        what is sudden is large; values with their sign over the other, since what is slow is small but lasts.
    ``null_steps``: steps that what is usual is learned from; older ones fade.
    ``forget_steps``: a server that has not been heard of for so long is forgotten.
    """

    level: float = 0.003
    false_discovery_rate: float = 0.05
    release: float = 0.5
    recent_steps: int = 5
    slow_steps: int = 24
    null_steps: int = 20_000
    forget_steps: int = 288
