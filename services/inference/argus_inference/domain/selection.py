"""Which windows of a batch are forecast from: the newest of each server, unless a newer one is sure to be queued."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from argus_common.events import WindowClosed


@dataclass(frozen=True, slots=True)
class Arrived:
    """A window, where it came from and how many records were queued behind it."""

    window: WindowClosed
    partition: int
    queued: int


@dataclass(frozen=True, slots=True)
class Selection:
    """``chosen`` in order of arrival; the rest is counted by reason."""

    chosen: list[WindowClosed]
    superseded: int
    behind: int


@dataclass(slots=True)
class Selector:
    """Remembers the newest step of every server, and how many servers a partition has."""

    newest: dict[str, int] = field(default_factory=dict)
    servers: dict[int, set[str]] = field(default_factory=dict)

    def select(self, arrived: Iterable[Arrived]) -> Selection:
        """The newest window per server.

        A window is *superseded* when a newer one of its server is known, and *behind* when twice as many records are
        queued after it as its partition has servers: a newer one of its server is then among them, and forecasting
        from this one would only keep us behind.
        """
        best: dict[str, Arrived] = {}
        superseded = 0
        for one in arrived:
            name = f"{one.window.fleet}/{one.window.server}"
            self.servers.setdefault(one.partition, set()).add(name)
            if one.window.step < self.newest.get(name, -1):
                superseded += 1
                continue
            superseded += name in best
            self.newest[name] = one.window.step
            best[name] = one
        current = [one for one in best.values() if one.queued < 2 * len(self.servers[one.partition])]
        return Selection([one.window for one in current], superseded, len(best) - len(current))
