"""Fleet aggregates as mergeable sums: each partition keeps its own, a reader adds them up.

The 18 fleet features of a step are functions of these sums: mean, standard deviation and maximum of four metrics,
shares of stressed servers, and each server's deviation from the mean.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Sums = npt.NDArray[np.float64]

FLEET_METRICS = ("cpu_user_pct", "mem_used_pct", "cpu_iowait_pct", "load_average")
STRESS_LIMITS = {"cpu_user_pct": 80.0, "mem_used_pct": 85.0, "cpu_iowait_pct": 15.0}
"""A server above the limit counts as stressed."""

_PER_METRIC = 4  # count, sum, sum of squares, maximum
_LENGTH = 1 + _PER_METRIC * len(FLEET_METRICS) + len(STRESS_LIMITS)
_MAXIMA = [1 + _PER_METRIC * i + 3 for i in range(len(FLEET_METRICS))]


@dataclass(frozen=True, slots=True)
class FleetSums:
    """Sums over some servers of a fleet in one step. Merging is commutative and associative."""

    sums: Sums

    @classmethod
    def none(cls) -> Self:
        """The sums over no server."""
        sums = np.zeros(_LENGTH)
        sums[_MAXIMA] = -np.inf
        return cls(sums)

    @classmethod
    def of(cls, values: npt.NDArray[np.float64], names: tuple[str, ...]) -> Self:
        """The sums over ``values`` (server, metric), NaN = missing, with the metrics ``names``."""
        sums = cls.none().sums
        sums[0] = len(values)
        for i, name in enumerate(FLEET_METRICS):
            column = values[:, names.index(name)]
            known = column[~np.isnan(column)]
            if len(known):
                block = slice(1 + _PER_METRIC * i, 1 + _PER_METRIC * (i + 1))
                sums[block] = len(known), known.sum(), (known**2).sum(), known.max()
        for i, (name, limit) in enumerate(STRESS_LIMITS.items()):
            sums[1 + _PER_METRIC * len(FLEET_METRICS) + i] = np.count_nonzero(values[:, names.index(name)] > limit)
        return cls(sums)

    def merge(self, other: "FleetSums") -> "FleetSums":
        """The sums over the servers of both."""
        merged = self.sums + other.sums
        merged[_MAXIMA] = np.maximum(self.sums[_MAXIMA], other.sums[_MAXIMA])
        return FleetSums(merged)

    def to_bytes(self) -> bytes:
        """160 bytes, little-endian float64."""
        return self.sums.astype("<f8").tobytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """The inverse of `to_bytes`.

        Raises:
            ValueError: the length is another one.
        """
        sums = np.frombuffer(raw, "<f8").copy()
        if len(sums) != _LENGTH:
            raise ValueError(f"fleet sums of {len(raw)} bytes, expected {8 * _LENGTH}")
        return cls(sums)

    def features(self) -> dict[str, float]:
        """The fleet-wide features of the step; NaN where no server had the metric, standard deviation with n − 1."""
        out: dict[str, float] = {}
        for i, name in enumerate(FLEET_METRICS):
            count, total, squares, highest = self.sums[1 + _PER_METRIC * i : 1 + _PER_METRIC * (i + 1)].tolist()
            mean = total / count if count else float("nan")
            variance = max(squares - count * mean**2, 0.0) / (count - 1) if count > 1 else float("nan")
            out[f"fleet_{name}_mean"] = mean
            out[f"fleet_{name}_std"] = variance**0.5
            out[f"fleet_{name}_max"] = highest if count else float("nan")
        for i, name in enumerate(STRESS_LIMITS):
            high = float(self.sums[1 + _PER_METRIC * len(FLEET_METRICS) + i])
            out[f"fleet_share_high_{name}"] = high / max(1.0, float(self.sums[0]))
        return out
