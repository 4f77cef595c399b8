"""The measures, as `measures` defines them, from the counts that are kept; means over the servers of a group."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from argus_drift.domain.channels import Ints
from argus_drift.domain.fleet.staleness import BINS, EDGES, Staleness
from argus_drift.domain.ranks import KNOTS, Floats


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some servers. (target, lead): the first four. (target,): the others. NaN = can't be told."""

    error_rate: Floats
    coverage: Floats
    pit_distance: Floats
    pinball: Floats
    anomaly_rate: Floats
    distribution_shift: Floats
    mean_shift: Floats
    deviation_ratio: Floats


def figures_of(staleness: Staleness, knots: Floats, rows: Ints) -> Figures:
    """The measures over these servers. ``knots``: (server, target, knot) of the reference's values."""
    pits = staleness.pits[rows].sum(axis=0, dtype=np.float64)
    total = pits.sum(axis=-1)
    below = _over(np.cumsum(pits, axis=-1)[..., : BINS - 1], total[..., None])
    by_target = pits.sum(axis=1)
    shift, ratio = _moved(staleness.moments[rows], knots[rows])
    return Figures(
        error_rate=_mean(staleness.error_rate()[rows]),
        coverage=below[..., -2] - below[..., 1],
        pit_distance=np.abs(below - EDGES).max(axis=-1),
        pinball=_mean(np.where(staleness.hours[rows] > 0, _recent(staleness.loss[rows]), np.nan)),
        anomaly_rate=_over(by_target[:, 0] + by_target[:, -1], by_target.sum(axis=-1)),
        distribution_shift=_mean(_shifted(staleness.ranks[rows])),
        mean_shift=_mean(shift),
        deviation_ratio=_mean(ratio),
    )


def _recent(loss: Floats) -> Floats:
    known = np.isfinite(loss)
    return _over(np.where(known, loss, 0).sum(axis=-1), known.sum(axis=-1))


def _shifted(ranks: Floats) -> Floats:
    """(server, target) mean difference of the distribution functions at the knots."""
    below = _over(np.cumsum(ranks, axis=-1)[..., :KNOTS], ranks.sum(axis=-1, keepdims=True))
    apart: Floats = np.abs(below - (np.arange(KNOTS, dtype=np.float32) + 0.5) / KNOTS)
    distance: Floats = apart.mean(axis=-1, dtype=np.float32)
    return distance


def _moved(moments: Floats, knots: Floats) -> tuple[Floats, Floats]:
    """(server, target) shift of the mean in the reference's deviations; ratio of the deviations."""
    count, total, squares = (moments[..., k].astype(np.float64) for k in range(3))
    mean = _over(total, count)
    deviation = np.sqrt(np.maximum(_over(squares, count) - mean**2, 0))
    before, spread = knots.mean(axis=-1, dtype=np.float64), knots.std(axis=-1, dtype=np.float64)
    return _over(mean - before, spread), _over(deviation, spread)


def _over(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    part, whole = np.broadcast_arrays(part, whole)
    found: Floats = np.full(part.shape, np.nan, np.float32)
    np.divide(part, whole, out=found, where=whole > 0, casting="unsafe")
    return found


def _mean(values: Floats) -> Floats:
    """Over the servers, of what is known."""
    known = np.isfinite(values)
    return _over(np.where(known, values, 0).sum(axis=0), known.sum(axis=0))
