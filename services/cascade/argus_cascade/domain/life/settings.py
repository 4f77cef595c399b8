"""What can be chosen about the life of a cascade, each with a meaning."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LifeSettings:
    """How fast a cascade is told of and believed to be over, in steps.

    ``recovery_steps``: a member is well again when nothing has been abnormal about it for so long.
    ``resolve_steps``: a cascade is over when fewer than two members have been unwell for so long.
    ``update_steps``: least time between two updates, but of those that make it worse than it was said to be.
    """

    recovery_steps: int = 3
    resolve_steps: int = 6
    update_steps: int = 3
