"""What can be chosen about grouping, each with a meaning."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GroupingSettings:
    """When servers that turn abnormal near each other in time are one cascade.

    ``lag_steps``: longest time, in steps, from one member's trouble to the next one's.
    ``false_cascades_per_day``: how often a healthy fleet may be said to have a cascade.
    ``fewest_linked``: least members where each is known to depend on another of them.
    ``fewest``: least members otherwise.
    ``incidents_per_server_day``: a server has trouble of its own at least so often, however calm the fleet has been.
    ``memory_days``: days that the fleet's ordinary rate of trouble is learned from; older ones fade.
    """

    lag_steps: int = 6
    false_cascades_per_day: float = 0.001
    fewest_linked: int = 2
    fewest: int = 3
    incidents_per_server_day: float = 0.003
    memory_days: int = 30
