"""What an hour of a server says, as a row of means. Every one of them is a mean of ranks, so that no unit remains.

The rank of a value is its place among the server's own reference values, 0 … 1. An hour has, for each target, the mean
rank (level), the mean distance of the rank from the middle (spread), the mean rank of the change from step to step
(movement) and of the distance from the mean of the hour before (swing); and for each pair of targets the mean
difference of their ranks (gap), its mean size (distance), and the mean size of the difference of their movements' ranks
(pace).
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
import numpy.typing as npt

from argus_drift.domain.ranks import Floats, ranks

Ints = npt.NDArray[np.int64]
SERIES = 3
"""Value, size of the change since the step before, distance from the mean of the hour before."""


@dataclass(frozen=True, slots=True)
class Channels:
    """Which column is what. ``targets``: names. ``first``, ``second``: (pair,) columns of the two targets of a pair."""

    targets: tuple[str, ...]
    first: Ints
    second: Ints

    @classmethod
    def of(cls, targets: tuple[str, ...]) -> Self:
        """Those of these targets.

        >>> Channels.of(("cpu", "mem")).width
        11
        """
        pairs = np.array(list(combinations(range(len(targets)), 2)), np.int64).reshape(-1, 2)
        return cls(targets, pairs[:, 0], pairs[:, 1])

    @property
    def width(self) -> int:
        """Columns of an hour."""
        return 4 * len(self.targets) + 3 * len(self.first)

    @property
    def columns(self) -> dict[str, slice]:
        """Family → its columns."""
        single, pair = len(self.targets), len(self.first)
        sizes = {"level": single, "spread": single, "movement": single, "swing": single,
                 "gap": pair, "distance": pair, "pace": pair}  # fmt: skip
        return columns_of(sizes)

    def metric(self, family: str, column: int) -> str:
        """The target, or the two targets, of a family's column.

        >>> Channels.of(("cpu", "mem")).metric("gap", 0)
        'cpu, mem'
        """
        if family in ("gap", "distance", "pace"):
            return f"{self.targets[self.first[column]]}, {self.targets[self.second[column]]}"
        return self.targets[column]

    def measured(self, values: Floats, before: Floats, hour_mean: Floats, knots: Floats) -> Floats:
        """(server, channel, step) of steps within one hour; NaN where something is missing.

        Args:
            values: (server, target, step), NaN = missing.
            before: (server, target) values of the step before the first.
            hour_mean: (server, target) means of the hour before.
            knots: (server, target, series, knot) of the reference.
        """
        place = ranks(series(values, before, hour_mean), knots)
        level, movement, swing = place[:, :, 0], place[:, :, 1], place[:, :, 2]
        gap = level[:, self.first] - level[:, self.second]
        pace = np.abs(movement[:, self.first] - movement[:, self.second])
        return np.concatenate((level, np.abs(level - 0.5), movement, swing, gap, np.abs(gap), pace), axis=1)


def columns_of(sizes: dict[str, int]) -> dict[str, slice]:
    """Name → columns, one after the other.

    >>> columns_of({"a": 2, "b": 1})["b"]
    slice(2, 3, None)
    """
    ends = np.cumsum(list(sizes.values())).tolist()
    return {name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}


def series(values: Floats, before: Floats, hour_mean: Floats) -> Floats:
    """(server, target, series, step): the values, their changes and their distances from the hour before."""
    previous = np.concatenate((before[:, :, None], values[:, :, :-1]), axis=2)
    return np.stack((values, np.abs(values - previous), np.abs(values - hour_mean[:, :, None])), axis=2)
