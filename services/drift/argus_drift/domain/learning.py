"""Servers whose reference is being collected: their values, until there are enough of them."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from argus_drift.domain.channels import Ints
from argus_drift.domain.ranks import Floats


@dataclass(slots=True)
class Class:
    """Servers that learn together. ``rows``: (learner,) of the detector. ``raw``: (learner, target, hour, step)."""

    rows: Ints
    first_hour: int
    raw: Floats = field(repr=False)

    @classmethod
    def of(cls, rows: Ints, first_hour: int, shape: tuple[int, int, int]) -> Self:
        """From this hour on; ``shape``: targets, hours, steps."""
        return cls(rows, first_hour, np.full((len(rows), *shape), np.nan, np.float32))

    def add(self, values: Floats, hour: int, step: int) -> None:
        """Remember a step. ``values``: (server, target) of all servers of the detector."""
        if 0 <= hour - self.first_hour < self.raw.shape[2]:
            self.raw[:, :, hour - self.first_hour, step] = values[self.rows]

    @property
    def end_hour(self) -> int:
        """The first hour that is no longer needed."""
        return self.first_hour + int(self.raw.shape[2])
