"""Which servers are alike: what moves one of them often moves the others as well."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from argus_cascade.domain.tick import Steps

UNKNOWN = ("", "generic")
"""Profiles that say nothing of what a server does."""
FLEET_WORTH = 5.0
"""What peers do together is drawn to what their fleet does, as if so many more servers did that: of a few, chance
decides.
"""
_STEM = re.compile(r"\D*")


def peers(servers: Sequence[str], profiles: Mapping[str, str]) -> Steps:
    """(server,) the number of its group: those of one profile; where none is known, of one name but for its numbers.

    >>> peers(["web1", "db1", "web2", "x"], {"x": "web_api"}).tolist()
    [0, 1, 0, 2]
    """
    groups: dict[str, int] = {}
    return np.fromiter(
        (groups.setdefault(_group(server, profiles.get(server, "")), len(groups)) for server in servers),
        np.int64,
        len(servers),
    )


def _group(server: str, profile: str) -> str:
    return _stem(server) if profile in UNKNOWN else profile


@lru_cache(maxsize=100_000)
def _stem(server: str) -> str:
    """Its name up to the first digit: fleets number servers of one role."""
    return _STEM.match(server).group() + "0"  # type: ignore[union-attr]
