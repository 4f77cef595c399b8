"""``python -m bench cascades``: false cascades of healthy fleets, failures found, who follows, how long a tick takes.

``python -m bench.cascades [healthy|failures|followers|speed] [SEED ...]`` measures one of them, or other seeds. Those
that thresholds and forms were chosen on are from 1001 on.
"""

from argus_local import Stack
from bench.cascades.measurements import of_failures, of_followers, of_healthy_fleets, of_ticks
from bench.report import Measurement

SEEDS = tuple(range(1, 11))


def measure(_stack: Stack) -> list[Measurement]:
    """All of it, ten seeds each: half an hour on a calm machine."""
    return [*of_healthy_fleets(SEEDS), *of_failures(SEEDS), *of_followers(SEEDS), *of_ticks()]
