"""The last sample of each counter before the open steps, so that a rate spans the boundary between steps."""

import numpy as np

from argus_ingest.domain.rows import Ints, Mask, SampleRows, coalesce, concatenate


class CounterCarry:
    """One row per server and counter. Their offsets hold the commit back, so that a restart finds them again."""

    def __init__(self, counters: Ints, metrics: int) -> None:
        self._counters = counters
        self._rows = SampleRows.empty(metrics)

    def of(self, servers: Mask) -> SampleRows:
        """The carried rows of the servers marked in ``servers`` (server,)."""
        return self._rows.take(servers[self._rows.server])

    def keep_last(self, rows: SampleRows) -> None:
        """Remember the newest sample of each counter among ``rows`` and what was carried."""
        if len(self._counters) == 0 or len(rows) == 0:
            return
        both = coalesce(concatenate([self._rows, rows]))
        kept = [self._last_of(both, column) for column in self._counters.tolist()]
        self._rows = concatenate(kept)

    def forget(self, servers: Mask) -> None:
        """Drop what is carried for these servers: they fell silent, their next rate begins anew."""
        self._rows = self._rows.take(~servers[self._rows.server])

    def oldest_offset(self) -> int | None:
        """The lowest offset among the carried rows, None where nothing is carried."""
        return int(self._rows.offset.min()) if len(self._rows) else None

    @staticmethod
    def _last_of(rows: SampleRows, column: int) -> SampleRows:
        known = rows.take(~np.isnan(rows.values[:, column]))
        last = np.append(known.server[1:] != known.server[:-1], np.ones(min(len(known), 1), bool))
        kept = known.take(last)
        only = np.full_like(kept.values, np.nan)
        only[:, column] = kept.values[:, column]
        return SampleRows(kept.server, kept.time_ms, kept.offset, only)
