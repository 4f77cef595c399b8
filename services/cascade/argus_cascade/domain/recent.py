"""The surprises of the last steps: what the origin of a cascade is found in."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from argus_cascade.domain.tick import Floats
from argus_cascade.domain.verdict import Verdict

LENGTH = 36
"""Steps that are kept: the longest lags, and a while before."""


@dataclass(slots=True)
class Recent:
    """``surprise``: (server, `LENGTH`, target) a ring, NaN = none. ``next``: the place in it of the next step."""

    servers: tuple[str, ...] = ()
    surprise: npt.NDArray[np.float16] = field(default_factory=lambda: np.empty((0, LENGTH, 0), np.float16))
    next: int = 0

    def observe(self, verdict: Verdict) -> None:
        """Take in a step."""
        self._align(verdict)
        self.surprise[:, self.next] = verdict.surprise
        self.next = (self.next + 1) % LENGTH

    def of(self, rows: list[int]) -> Floats:
        """(step, server, target) of some rows, the last step being the newest."""
        return np.roll(self.surprise[rows].astype(np.float64), -self.next, axis=1).transpose(1, 0, 2)

    def _align(self, verdict: Verdict) -> None:
        if verdict.servers is self.servers or verdict.servers == self.servers:
            return
        place = {name: i for i, name in enumerate(self.servers)}
        source = np.array([place.get(name, -1) for name in verdict.servers], np.int64)
        targets = len(verdict.targets)
        nothing = np.full((1, LENGTH, targets), np.nan, np.float16)
        known = self.surprise if self.surprise.shape[2] == targets else np.empty((0, LENGTH, targets), np.float16)
        self.surprise = np.concatenate([known, nothing])[np.where(source < len(known), source, -1)]
        self.servers = verdict.servers
