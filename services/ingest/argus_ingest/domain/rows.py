"""Samples in columns: one row per server and event time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.int32]
Floats = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SampleRows:
    """Rows of samples, in the order in which they arrived unless said otherwise.

    ``server``: (row,) ids of the `ServerTable`. ``time_ms``: (row,) event time, epoch milliseconds.
    ``offset``: (row,) Kafka offset of the record. ``values``: (row, metric), NaN = no sample; float32, or float64
    where the catalogue has counters, since a running total of 1e12 changes by less than float32 can tell.
    """

    server: Ids
    time_ms: Ints
    offset: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.server)

    def take(self, rows: Mask | Ints) -> "SampleRows":
        """The rows selected by a mask or by indices."""
        return SampleRows(self.server[rows], self.time_ms[rows], self.offset[rows], self.values[rows])

    def part(self, begin: int, end: int) -> "SampleRows":
        """The rows ``[begin, end)``, without a copy."""
        cut = slice(begin, end)
        return SampleRows(self.server[cut], self.time_ms[cut], self.offset[cut], self.values[cut])

    def renumbered(self, numbers: Ids) -> "SampleRows":
        """The same rows where each server has another number, ``numbers`` (server,)."""
        return SampleRows(numbers[self.server], self.time_ms, self.offset, self.values)

    @staticmethod
    def empty(metrics: int) -> "SampleRows":
        """No rows of ``metrics`` columns."""
        return SampleRows(np.empty(0, np.int32), _none(), _none(), np.empty((0, metrics), np.float32))


def _none() -> Ints:
    return np.empty(0, np.int64)


def concatenate(chunks: Sequence[SampleRows]) -> SampleRows:
    """All rows of ``chunks`` (at least one), in order."""
    if len(chunks) == 1:
        return chunks[0]
    return SampleRows(
        np.concatenate([c.server for c in chunks]),
        np.concatenate([c.time_ms for c in chunks]),
        np.concatenate([c.offset for c in chunks]),
        np.concatenate([c.values for c in chunks]),
    )


def starts_of(changed: Mask) -> Ints:
    """Indices where a sorted run begins; ``changed`` says of each row but the first whether it differs from its
    predecessor.
    """
    return np.concatenate([[0], np.flatnonzero(changed) + 1]).astype(np.int64)


def coalesce(rows: SampleRows) -> SampleRows:
    """One row per (server, event time), sorted by both: a sample that was seen twice counts once.

    Where two samples of the same metric and moment differ, the larger is kept. Any rule would do that does not
    depend on the order of arrival: the maximum is commutative, associative and idempotent, so redelivery,
    reordering and splitting can't change a window.
    """
    if len(rows) == 0:
        return rows
    order = np.lexsort((rows.time_ms, rows.server))
    server, time_ms = rows.server[order], rows.time_ms[order]
    starts = starts_of((server[1:] != server[:-1]) | (time_ms[1:] != time_ms[:-1]))
    values, offset = rows.values[order], rows.offset[order]
    if len(starts) == len(rows):
        return SampleRows(server, time_ms, offset, values)
    return SampleRows(
        server[starts], time_ms[starts], np.minimum.reduceat(offset, starts), np.fmax.reduceat(values, starts, axis=0)
    )
