"""``python -m bench.cascades [healthy|failures|followers|speed] [SEED ...]``: a part, other seeds; no Kafka."""

import sys

from bench.cascades import SEEDS
from bench.cascades.measurements import of_failures, of_followers, of_healthy_fleets, of_ticks
from bench.report import show

PARTS = ("healthy", "failures", "followers", "speed")


def main() -> None:
    """Measure the named parts, or all, on the given seeds, or ten."""
    wanted = [name for name in sys.argv[1:] if name in PARTS] or PARTS
    seeds = [int(name) for name in sys.argv[1:] if name not in PARTS] or SEEDS
    if "healthy" in wanted:
        show("healthy fleets", of_healthy_fleets(seeds))
    if "failures" in wanted:
        show("failures that spread", of_failures(seeds))
    if "followers" in wanted:
        show("who follows", of_followers(seeds))
    if "speed" in wanted:
        show("speed", of_ticks())


if __name__ == "__main__":
    main()
