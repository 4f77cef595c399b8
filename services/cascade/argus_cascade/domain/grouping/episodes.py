"""When servers begin to stand out, and how far."""

from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.tick import Flags, Floats, Steps

LEVELS = np.array([3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0, 17.0, 22.0, 30.0, 40.0, 55.0, 75.0, 100.0])
"""Rarities (−log10 of the chance in a healthy server) that a server is counted to have risen to."""
OVER = 1.0
"""An episode is over when the rarity has fallen below."""
MILD = 1.5
"""A server whose rarity has reached this much, but no level, is restless."""


@dataclass(slots=True)
class Episodes:
    """Rows are servers. ``level``: (server,) highest of `LEVELS` reached in the episode that goes on, −1 = there is
    none. ``began``, ``risen``: (server,) steps of its beginning and of the last rise to a higher level, −1 = none.
    ``stirred``: (server,) last step in which its rarity was `MILD` or more, −1 = never.
    """

    servers: tuple[str, ...] = ()
    level: Steps = field(default_factory=lambda: np.empty(0, np.int64))
    began: Steps = field(default_factory=lambda: np.empty(0, np.int64))
    risen: Steps = field(default_factory=lambda: np.empty(0, np.int64))
    stirred: Steps = field(default_factory=lambda: np.empty(0, np.int64))

    def observe(self, step: int, servers: tuple[str, ...], rarity: Floats) -> None:
        """Follow every server through ``step``.

        Args:
            step: its number.
            servers: all that are known; who is not among them any more is forgotten.
            rarity: (server,) −log10 of the chance of so much evidence in a healthy server.
        """
        self._align(servers)
        self.stirred[rarity >= MILD] = step
        now = np.searchsorted(LEVELS, rarity, side="right") - 1
        over = (rarity < OVER) & (self.level >= 0)
        self.level[over] = self.began[over] = self.risen[over] = -1
        rises = np.flatnonzero(now > self.level)
        self.began[rises] = np.where(self.level[rises] < 0, step, self.began[rises])
        self.risen[rises] = step
        self.level[rises] = now[rises]

    def restless(self, since: int) -> Flags:
        """(server,) a little unusual at some time from ``since`` on, but in no episode: the weather of the fleet."""
        return (self.stirred >= since) & (self.level < 0)

    def _align(self, servers: tuple[str, ...]) -> None:
        """Make the rows those of ``servers``."""
        if servers is self.servers or servers == self.servers:
            return
        place = {name: i for i, name in enumerate(self.servers)}
        source = np.array([place.get(name, -1) for name in servers], np.int64)
        for name in ("level", "began", "risen", "stirred"):
            old = np.append(getattr(self, name), -1)
            setattr(self, name, old[source])
        self.servers = servers
