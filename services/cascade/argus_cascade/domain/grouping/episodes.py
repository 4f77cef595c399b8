"""When servers begin to stand out, how far, and how often that happens in this fleet anyway."""

from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.tick import Flags, Floats, Steps

LEVELS = np.array([3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0, 17.0, 22.0, 30.0, 40.0, 55.0, 75.0, 100.0])
"""Rarities (−log10 of the chance in a healthy server) that a server is counted to have risen to."""
OVER = 1.0
"""An episode is over when the rarity has fallen below."""
PRIOR_DAYS = 1.0
"""Days of a fleet that behaves as its evidence says, with which every fleet begins."""


@dataclass(slots=True)
class Episodes:
    """Rows are servers. ``level``: (server,) highest of `LEVELS` reached in the episode that goes on, −1 = there is
    none. ``began``, ``risen``: (server,) steps of its beginning and of the last rise to a higher level, −1 = none.
    ``crossings``: (level,) faded count of the episodes that reached it and are over, of servers in no cascade then, so
    that what is going on does not speak of itself; ``exposure``: (1,) faded count of their steps.
    """

    servers: tuple[str, ...] = ()
    level: Steps = field(default_factory=lambda: np.empty(0, np.int64))
    began: Steps = field(default_factory=lambda: np.empty(0, np.int64))
    risen: Steps = field(default_factory=lambda: np.empty(0, np.int64))
    crossings: Floats = field(default_factory=lambda: np.zeros(len(LEVELS)))
    exposure: Floats = field(default_factory=lambda: np.zeros(1))

    def observe(self, step: int, servers: tuple[str, ...], rarity: Floats, counted: Flags, fade: float) -> None:
        """Follow every server through ``step``.

        Args:
            step: its number.
            servers: all that are known; who is not among them any more is forgotten.
            rarity: (server,) −log10 of the chance of so much evidence in a healthy server.
            counted: (server,) what it does says something about an ordinary day.
            fade: share of what was counted that is forgotten in a step.
        """
        self._align(servers)
        now = np.searchsorted(LEVELS, rarity, side="right") - 1
        over = np.flatnonzero((rarity < OVER) & (self.level >= 0))
        teaching = self.level[over[counted[over]]]
        passed = np.arange(len(LEVELS)) <= teaching[:, None]
        self.level[over] = self.began[over] = self.risen[over] = -1
        rises = np.flatnonzero(now > self.level)
        self.began[rises] = np.where(self.level[rises] < 0, step, self.began[rises])
        self.risen[rises] = step
        self.level[rises] = now[rises]
        self.crossings = (1 - fade) * self.crossings + passed.sum(axis=0)
        self.exposure = (1 - fade) * self.exposure + counted.sum()

    def rate(self, floor: float, steps_per_day: float) -> Floats:
        """(level,) how often a server rises to each level on an ordinary day, per server and step, at least ``floor``.

        Before a fleet has shown how it behaves, as often as the evidence claims.
        """
        prior = PRIOR_DAYS * steps_per_day * max(len(self.level), 1)
        found = (self.crossings + prior * 10.0**-LEVELS) / (self.exposure + prior)
        return np.minimum(np.maximum(found, floor), 1.0)

    def _align(self, servers: tuple[str, ...]) -> None:
        """Make the rows those of ``servers``."""
        if servers is self.servers or servers == self.servers:
            return
        place = {name: i for i, name in enumerate(self.servers)}
        source = np.array([place.get(name, -1) for name in servers], np.int64)
        for name in ("level", "began", "risen"):
            old = np.append(getattr(self, name), -1)
            setattr(self, name, old[source])
        self.servers = servers
