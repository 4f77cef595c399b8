"""The last sample of each counter before the open steps, so that a rate spans the boundary between steps."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from argus_ingest.domain.rows import Ids, Ints, Mask, SampleRows, coalesce, concatenate
from argus_ingest.domain.servers import ServerTable

PARKED = np.iinfo(np.int64).max
"""Stands for the offset of a row that is saved with the partition and need not be read again."""

Parked = Mapping[str, Sequence[tuple[int, int, float]]]
"""By server name: column, epoch milliseconds and value of each counter's last sample."""


class CounterCarry:
    """One row per server and counter. A restart finds them again: their offsets hold the commit back, or they are
    parked in the partition's snapshot. Parking changes nothing but the place.

    Args:
        counters: which columns are counters.
        metrics: how many columns there are.
        parked: what was parked before a restart.
    """

    def __init__(self, counters: Ints, metrics: int, parked: Parked | None = None) -> None:
        self._counters, self._metrics = counters, metrics
        self._rows = SampleRows.empty(metrics)
        self._unheard = dict(parked or {})

    def of(self, servers: Mask, since_ms: int) -> SampleRows:
        """The carried rows since then of the servers marked in ``servers`` (server,)."""
        return self._rows.take(servers[self._rows.server] & (self._rows.time_ms >= since_ms))

    def keep_last(self, rows: SampleRows) -> None:
        """Remember the newest sample of each counter among ``rows`` and what was carried."""
        if len(self._counters) == 0 or len(rows) == 0:
            return
        both = coalesce(concatenate([self._rows, rows]))
        kept = [self._last_of(both, column) for column in self._counters.tolist()]
        self._rows = concatenate(kept)

    def heard(self, first: int, names: Iterable[str]) -> None:
        """The servers with these names have the numbers from ``first`` on: what was parked of them is carried again."""
        if not self._unheard:
            return
        found = [(number, self._unheard.pop(name, ())) for number, name in enumerate(names, start=first)]
        entries = [(number, *entry) for number, several in found for entry in several]
        if entries:
            self.keep_last(self._rows_of(entries))

    def park(self, before_ms: int, servers: ServerTable) -> Parked:
        """Rows from before then no longer hold the commit back; all that is parked of servers with a new one among
        them. It has to be saved before the next commit.
        """
        rows = self._rows
        old = rows.time_ms < before_ms
        fresh = old & (rows.offset != PARKED)
        if not fresh.any():
            return {}
        self._rows = SampleRows(rows.server, rows.time_ms, np.where(old, PARKED, rows.offset), rows.values)
        return self._parked(np.isin(rows.server, rows.server[fresh]), servers)

    def all_parked(self, servers: ServerTable) -> Parked:
        """Everything that is parked."""
        return self._unheard | dict(self._parked(np.ones(len(self._rows), bool), servers))

    def forget(self, servers: Mask, names: Iterable[str]) -> None:
        """Drop what is carried of the servers marked in ``servers`` (server,), and of those with these names."""
        self._rows = self._rows.take(~servers[self._rows.server])
        for name in names:
            self._unheard.pop(name, None)

    def renumber(self, numbers: Ids) -> None:
        """Each server has another number, ``numbers`` (server,), in the same order."""
        self._rows = self._rows.renumbered(numbers)

    def oldest_offset(self) -> int:
        """The lowest offset among the carried rows, `PARKED` where none holds the commit back."""
        return int(self._rows.offset.min(initial=PARKED))

    def _parked(self, which: Mask, servers: ServerTable) -> dict[str, list[tuple[int, int, float]]]:
        rows = self._rows.take(which & (self._rows.offset == PARKED))
        parked: dict[str, list[tuple[int, int, float]]] = {}
        for number, time_ms, values in zip(rows.server.tolist(), rows.time_ms.tolist(), rows.values, strict=True):
            (column,) = np.flatnonzero(~np.isnan(values)).tolist()
            parked.setdefault(servers.names[number], []).append((column, time_ms, float(values[column])))
        return parked

    def _rows_of(self, entries: Sequence[tuple[int, int, int, float]]) -> SampleRows:
        values = np.full((len(entries), self._metrics), np.nan)
        for row, (_, column, _, value) in enumerate(entries):
            values[row, column] = value
        numbers, _, times, _ = zip(*entries, strict=True)
        offsets = np.full(len(entries), PARKED, np.int64)
        return SampleRows(np.array(numbers, np.int32), np.array(times, np.int64), offsets, values)

    @staticmethod
    def _last_of(rows: SampleRows, column: int) -> SampleRows:
        known = rows.take(~np.isnan(rows.values[:, column]))
        last = np.append(known.server[1:] != known.server[:-1], np.ones(min(len(known), 1), bool))
        kept = known.take(last)
        only = np.full_like(kept.values, np.nan)
        only[:, column] = kept.values[:, column]
        return SampleRows(kept.server, kept.time_ms, kept.offset, only)
