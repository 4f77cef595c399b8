"""``python -m bench [PART ...]``: measure, print a table per part."""

import importlib
import os
import sys

from argus_local import Stack
from bench.report import show
from bench.site import ONE_THREAD

PARTS = (
    "ingest",
    "rings",
    "forecasts",
    "models",
    "training",
    "simulator",
    "latency",
    "swap",
    "origins",
    "cascade_live",
)
ALONE = ("cascades", "deploy", "drift", "size")
"""Parts that are run by name only: they take many minutes, or install environments of their own."""


def main() -> None:
    """Run the named parts, or all."""
    wanted = sys.argv[1:] or list(PARTS)
    unknown = sorted(set(wanted) - {*PARTS, *ALONE})
    if unknown:
        raise SystemExit(f"no such part: {', '.join(unknown)}; choose from {', '.join((*PARTS, *ALONE))}")
    os.environ.update(ONE_THREAD)
    with Stack() as stack:
        for part in wanted:
            show(part, importlib.import_module(f"bench.{part}").measure(stack))


if __name__ == "__main__":
    main()
