"""How stale the forecasts of each server are: its losses against those of its model's own beginning, its calibration,
and how its values differ from what they were. Arrays with a row per server; nothing is kept per message.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from argus_drift.domain.fleet.columns import LEADS, Step
from argus_drift.domain.ranks import KNOTS, Floats
from argus_drift.domain.rules import FORGIVEN_HOURS

RECENT_HOURS = 24
"""What is called recent: whole days, so that no hour of the day weighs more."""
REFERENCE_HOURS = 168
LEAST_REFERENCE_HOURS = 72
CAP = 4.0
"""An hour counts in the reference as at most so many times the mean so far, so that an incident can't pollute it."""
EDGES = np.array([0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99], np.float32)
BINS = len(EDGES) + 1
FADE = float(np.exp(-1 / RECENT_HOURS))
"""What remains of a count after an hour."""


@dataclass(slots=True)
class Staleness:
    """``loss``, ``inside``: (server, target, lead, hour) mean loss and share within the 10–90 % band, a ring.

    ``reference``, ``hours``: (server, target, lead) mean loss since the model began, and over how many hours.
    ``fresh``, ``fresh_hours``: likewise since a newer model began, −1 = there is none.
    ``hour_sums``: (server, target, lead, 3) of the running hour: losses, values inside, values.
    ``pits``: (server, target, lead, bin) fading counts. ``ranks``: (server, target, knot + 1) likewise, of the values
    among the reference's knots. ``moments``: (server, target, 3) fading count, sum and sum of squares of the values.
    """

    loss: Floats
    inside: Floats
    reference: Floats
    hours: Floats
    fresh: Floats
    fresh_hours: Floats
    hour_sums: Floats
    pits: Floats
    ranks: Floats
    moments: Floats

    @classmethod
    def of(cls, servers: int, targets: int) -> "Staleness":
        """Nothing is known."""
        three = (servers, targets, LEADS)
        unknown = np.full((*three, RECENT_HOURS), np.nan, np.float32)
        reference, hours, fresh = (np.zeros(three, np.float32) for _ in range(3))
        counts = [(*three, 3), (*three, BINS), (servers, targets, KNOTS + 1), (servers, targets, 3)]
        none = np.full(three, -1, np.float32)
        zeros = (np.zeros(shape, np.float32) for shape in counts)
        return cls(unknown, unknown.copy(), reference, hours, fresh, none, *zeros)

    def arrays(self) -> dict[str, Floats]:
        """Everything, by name."""
        return {name: getattr(self, name) for name in type(self).__slots__}

    @classmethod
    def restored(cls, arrays: dict[str, Any]) -> "Staleness":
        """The inverse of `arrays`."""
        return cls(**{name: np.array(arrays[name]) for name in cls.__slots__})

    def grown(self, more: int) -> "Staleness":
        """With room for ``more`` servers."""
        other = Staleness.of(more, self.moments.shape[1])
        mine, others = self.arrays(), other.arrays()
        return Staleness(**{name: np.concatenate((mine[name], others[name])) for name in mine})

    def add(self, step: Step, knots: Floats) -> None:
        """Count a step in. ``knots``: (server, target, knot) of the reference's values."""
        known = np.isfinite(step.pit)
        within = known & (step.pit >= EDGES[1]) & (step.pit <= EDGES[-2])
        self.hour_sums[..., 0] += np.where(known, step.pinball, 0)
        self.hour_sums[..., 1] += within
        self.hour_sums[..., 2] += known
        _count(self.pits, np.searchsorted(EDGES, np.where(known, step.pit, 0)), known)
        seen = np.isfinite(step.observed)
        values = np.where(seen, step.observed, 0)
        self.moments += np.stack((seen, values, values * values), axis=-1)
        placed = seen & np.isfinite(knots[..., 0])
        _count(self.ranks, (knots < step.observed[..., None]).sum(axis=-1), placed)

    def end_hour(self, hour: int) -> None:
        """Close the running hour."""
        count = self.hour_sums[..., 2]
        means = np.where(count > 0, self.hour_sums[..., 0] / np.maximum(count, 1), np.float32(np.nan))
        self.loss[..., hour % RECENT_HOURS] = means
        share = self.hour_sums[..., 1] / np.maximum(count, 1)
        self.inside[..., hour % RECENT_HOURS] = np.where(count > 0, share, np.float32(np.nan))
        self._learn(means)
        self.hour_sums[:] = 0
        for fading in (self.pits, self.ranks, self.moments):
            np.multiply(fading, np.float32(FADE), out=fading)

    def begin_anew(self, rows: npt.NDArray[np.bool_]) -> None:
        """These servers have another model: what it loses from now on becomes its reference, three days from now.

        Until then it is held against what the model before it lost, so that a worse one is seen.
        """
        self.fresh[rows], self.fresh_hours[rows] = 0, 0

    def _learn(self, means: Floats) -> None:
        """The reference is the mean over the model's first week, in which no hour counts too much."""
        collecting = np.isfinite(means) & (self.fresh_hours >= 0)
        _average(self.fresh, self.fresh_hours, means, collecting)
        _average(self.reference, self.hours, means, np.isfinite(means) & self._unfinished())
        ready = self.fresh_hours >= LEAST_REFERENCE_HOURS
        self.reference[ready], self.hours[ready], self.fresh_hours[ready] = self.fresh[ready], LEAST_REFERENCE_HOURS, -1

    def _unfinished(self) -> npt.NDArray[np.bool_]:
        return (self.hours < REFERENCE_HOURS) & (self.fresh_hours < 0)

    def error_rate(self) -> Floats:
        """PER, (server, target, lead); NaN until three days of the model are known."""
        return self._per(_mean(self.loss))

    def lasting_error_rate(self, over: float) -> Floats:
        """(server, target, lead) PER without the worst `FORGIVEN_HOURS` hours in a row, what an incident of up to 6 h
        can't raise; NaN for servers that are below ``over`` even with them.
        """
        found = self.error_rate()
        rows = np.flatnonzero((found > over).any(axis=(1, 2)))
        return _of(rows, self._per(_least(self.loss[rows]), rows), found)

    def lasting_coverage(self, below: float) -> Floats:
        """(server, target, lead) coverage of 10–90 % without the worst hours in a row; NaN for servers that are above
        ``below`` even with them.
        """
        found = _mean(self.inside)
        rows = np.flatnonzero((found < below).any(axis=(1, 2)))
        return _of(rows, _least(self.inside[rows], sign=-1), found)

    def lasting_error_rate_of(self, row: int) -> Floats:
        """(target, lead) of one server."""
        return self._per(_least(self.loss[row]), row)

    def lasting_coverage_of(self, row: int) -> Floats:
        """(target, lead) of one server."""
        return _least(self.inside[row], sign=-1)

    def _per(self, loss: Floats, row: int | slice | npt.NDArray[np.int64] = slice(None)) -> Floats:
        known = (self.hours[row] >= LEAST_REFERENCE_HOURS) & (self.reference[row] > 0)
        return np.divide(loss, self.reference[row], out=np.full_like(loss, np.nan), where=known)


def _average(mean: Floats, hours: Floats, hour: Floats, where: npt.NDArray[np.bool_]) -> None:
    """Let an hour into running means, capped once a day of them is known."""
    counted = np.where(hours >= RECENT_HOURS, np.fmin(hour, CAP * mean), hour)
    hours += where
    mean += np.where(where, (counted - mean) / np.maximum(hours, 1), 0)


def _count(counts: Floats, place: npt.NDArray[np.int64], known: npt.NDArray[np.bool_]) -> None:
    """Add one at (…, place) where known."""
    flat = counts.reshape(-1, counts.shape[-1])
    rows = np.flatnonzero(known)
    flat[rows, place.reshape(-1)[rows]] += 1


def _of(rows: npt.NDArray[np.int64], values: Floats, like: Floats) -> Floats:
    """An array like another one with these values in these rows, NaN in all others."""
    found = np.full_like(like, np.nan)
    found[rows] = values
    return found


def _mean(hours: Floats) -> Floats:
    """(…,) over (…, hour); NaN where fewer than three quarters are known."""
    known = np.isfinite(hours)
    count = known.sum(axis=-1)
    total = np.where(known, hours, 0).sum(axis=-1, dtype=np.float32)
    return np.where(count >= 0.75 * RECENT_HOURS, total / np.maximum(count, 1), np.float32(np.nan))


def _least(hours: Floats, sign: int = 1) -> Floats:
    """(…,) the least mean over (…, hour), whichever hours in a row, around the ring, are left out; with ``sign`` −1
    the largest.
    """
    known = np.isfinite(hours)
    count = known.sum(axis=-1)[..., None]
    total, seen = _around(np.where(known, sign * hours, 0)), _around(known)
    rest = (total[..., RECENT_HOURS, None] - _left_out(total)) / np.maximum(count - _left_out(seen), 1)
    least = sign * rest.min(axis=-1)
    return np.where(count[..., 0] >= 0.75 * RECENT_HOURS, least, np.nan).astype(np.float32)


def _around(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """(…, 1 + hours + forgiven) sums around the ring, from nothing on."""
    ring = np.concatenate((values, values[..., :FORGIVEN_HOURS]), axis=-1)
    sums = np.zeros((*values.shape[:-1], ring.shape[-1] + 1))
    np.cumsum(ring, axis=-1, out=sums[..., 1:])
    return sums


def _left_out(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(…, hour) sum of the forgiven hours that begin with each."""
    return sums[..., FORGIVEN_HOURS : FORGIVEN_HOURS + RECENT_HOURS] - sums[..., :RECENT_HOURS]
