"""What the same servers do at the same hour of every week: a backup, a batch, a release; told once, then ordinary."""

from collections.abc import Collection
from dataclasses import dataclass

WEEK_HOURS, WEEKS = 168, 4
AROUND = 1
"""It comes an hour sooner or later from week to week."""
SHARED = 0.5
"""Share of the servers that must be the same."""
BEYOND = 2.0
"""Orders of magnitude by which something must be rarer than what happened at this hour of another week; what was no
rarer than the limit by less than that can't keep anything from being told.
"""


@dataclass(frozen=True, slots=True)
class Bunch:
    """Servers that stood out together in an ``hour`` (number since the epoch)."""

    hour: int
    rarity: float
    servers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Recurring:
    """``bunches``: those of the last weeks, one at most of each hour."""

    bunches: tuple[Bunch, ...] = ()

    def limit(self, hour: int, servers: Collection[str]) -> float:
        """The rarity that ``servers`` must reach in ``hour`` to be out of the ordinary; 0 where nothing is like it.

        >>> backup = Recurring().observed(10, 7.0, ["web1", "web2"])
        >>> [backup.limit(hour, ["web1", "db1"]) for hour in (10, 11 + WEEK_HOURS, 12 + WEEK_HOURS)]
        [0.0, 9.0, 0.0]
        """
        alike = [one.rarity for one in self.bunches if _recurs(one.hour, hour) and _alike(one.servers, servers)]
        return max(alike, default=-BEYOND) + BEYOND

    def observed(self, hour: int, rarity: float, servers: Collection[str]) -> "Recurring":
        """With what happened in ``hour``, no earlier than what is known: the rarest of it."""
        kept = [one for one in self.bunches if hour - one.hour <= WEEKS * WEEK_HOURS + AROUND]
        if kept and kept[-1].hour == hour and kept[-1].rarity >= rarity:
            return self
        before = [one for one in kept if one.hour != hour]
        return Recurring((*before, Bunch(hour, rarity, frozenset(servers))))


def _recurs(earlier: int, hour: int) -> bool:
    """About a whole number of weeks lies between."""
    apart = (hour - earlier + AROUND) % WEEK_HOURS
    return hour - earlier > AROUND and apart <= 2 * AROUND


def _alike(some: frozenset[str], others: Collection[str]) -> bool:
    return len(some.intersection(others)) >= SHARED * len(others)
