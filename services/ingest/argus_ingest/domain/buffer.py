"""The samples of open steps, in memory, per partition."""

import numpy as np

from argus_ingest.domain.rows import Ids, Ints, Mask, SampleRows, coalesce, concatenate

_COMPACT_AT_LEAST = 4096


class StepBuffer:
    """Rows of one open step. Samples that were seen twice are merged when the buffer has doubled since last time."""

    def __init__(self) -> None:
        self._chunks: list[SampleRows] = []
        self._rows = 0
        self._compacted = _COMPACT_AT_LEAST

    def __len__(self) -> int:
        return self._rows

    def add(self, rows: SampleRows) -> None:
        """Keep these rows."""
        self._chunks.append(rows)
        self._rows += len(rows)
        if self._rows >= 2 * self._compacted:
            self._replace(coalesce(self._joined()))
            self._compacted = max(self._rows, _COMPACT_AT_LEAST)

    def servers(self) -> Ints:
        """The distinct servers that have samples here."""
        return np.unique(np.concatenate([chunk.server for chunk in self._chunks]))

    def take(self, of_servers: Mask) -> SampleRows:
        """Remove and return the merged rows of the servers marked in ``of_servers`` (server,)."""
        joined = self._joined()
        taken = of_servers[joined.server]
        self._replace(joined.take(~taken))
        return coalesce(joined.take(taken))

    def renumber(self, numbers: Ids) -> None:
        """Each server has another number, ``numbers`` (server,), in the same order."""
        self._chunks = [chunk.renumbered(numbers) for chunk in self._chunks]

    def oldest_offset(self) -> int:
        """The lowest offset among the rows."""
        return min(int(chunk.offset.min()) for chunk in self._chunks)

    def _joined(self) -> SampleRows:
        joined = concatenate(self._chunks)
        self._chunks = [joined]
        return joined

    def _replace(self, rows: SampleRows) -> None:
        self._chunks, self._rows = ([rows] if len(rows) else []), len(rows)
