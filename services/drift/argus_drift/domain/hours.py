"""The hour that is running: sums of what its steps say, and what the next step is compared with."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from argus_drift.domain.channels import Channels
from argus_drift.domain.ranks import Floats

ENOUGH = 0.5
"""Share of an hour's steps that must be observed for the hour to count."""


@dataclass(slots=True)
class RunningHour:
    """``before``: (server, target) the step before. ``hour_mean``: (server, target) of the hour before.

    ``sums``, ``counts``: (server, channel). ``total``, ``seen``: (server, target) of the values themselves.
    """

    before: Floats
    hour_mean: Floats
    sums: Floats
    counts: Floats
    total: Floats
    seen: Floats

    @classmethod
    def empty(cls, servers: int, channels: Channels) -> Self:
        """Nothing was seen yet."""
        targets = len(channels.targets)
        unknown = np.full((servers, targets), np.nan, np.float32)
        wide = np.zeros((servers, channels.width), np.float32)
        narrow = np.zeros((servers, targets), np.float32)
        return cls(unknown, unknown.copy(), wide, wide.copy(), narrow, narrow.copy())

    def add(self, values: Floats, channels: Channels, knots: Floats) -> None:
        """Count steps of this hour in. ``values``: (server, target, step)."""
        told = channels.measured(values, self.before, self.hour_mean, knots)
        known = np.isfinite(told)
        self.sums += np.where(known, told, 0).sum(axis=2)
        self.counts += known.sum(axis=2)
        seen = np.isfinite(values)
        self.total += np.where(seen, values, 0).sum(axis=2)
        self.seen += seen.sum(axis=2)
        self.before = values[:, :, -1].copy()

    def close(self, steps: int) -> Floats:
        """(server, channel) means of the hour, NaN where too little was observed; the next hour begins."""
        enough = self.counts >= ENOUGH * steps
        means = np.where(enough, self.sums / np.maximum(self.counts, 1), np.float32(np.nan))
        self.hour_mean = np.where(self.seen > 0, self.total / np.maximum(self.seen, 1), np.float32(np.nan))
        for sums in (self.sums, self.counts, self.total, self.seen):
            sums[:] = 0
        return means
