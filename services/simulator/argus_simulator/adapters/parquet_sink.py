"""Rows to a Parquet file in wide form, a row group at a time."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from argus_simulator.adapters.truth_lines import append_lines, encode_truth
from argus_simulator.domain.defects import Delivered
from argus_simulator.domain.fleet import Fleet
from argus_simulator.domain.simulation import Tick
from argus_simulator.domain.world import METRICS

ROW_GROUP = 65_536
"""Rows that are kept until they are written: about 5 MB."""

_SCHEMA = pa.schema(
    [
        ("server", pa.string()),
        ("timestamp", pa.timestamp("ms", "UTC")),
        ("fleet", pa.string()),
        ("profile", pa.string()),
        *((name, pa.float32()) for name in METRICS),
    ]
)
_Kept = tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.float32]]


class ParquetSink:
    """A row in ``file`` for each row that is delivered, in order of delivery; it can be read after ``flush``. The truth
    goes to ``truth`` where given. What they held before is lost.
    """

    def __init__(
        self, file: Path, fleet: Fleet, fleet_name: str, truth: Path | None, group_rows: int = ROW_GROUP
    ) -> None:
        self._truth, self._group_rows = truth, group_rows
        self._labels = [
            pa.array(fleet.names),
            pa.array([fleet_name] * len(fleet)),
            pa.array([fleet.profile_of(server).name for server in range(len(fleet))]),
        ]
        self._kept: list[_Kept] = []
        self._rows = 0
        if truth is not None:
            truth.write_bytes(b"")
        self._writer = ParquetWriter(file, _SCHEMA, compression="zstd")

    async def write(self, rows: Delivered, tick: Tick) -> int:
        """Keep the rows until they make a row group."""
        if self._truth is not None:
            append_lines(self._truth, encode_truth(tick.truth))
        servers, times = np.array(rows.server, np.int32), np.array(rows.time_ms, np.int64)
        self._kept.append((servers, times, rows.values.astype(np.float32)))
        self._rows += len(servers)
        if self._rows >= self._group_rows:
            self._write_group()
        return len(servers)

    async def flush(self) -> None:
        """Write the rest and the footer."""
        if self._rows:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        servers, times, values = (np.concatenate(parts) for parts in zip(*self._kept, strict=True))
        name, fleet, profile = (label.take(pa.array(servers)) for label in self._labels)
        stamps = pa.array(times).cast(_SCHEMA.field("timestamp").type)
        metrics = [pa.array(np.ascontiguousarray(column)) for column in values.T]
        group = pa.Table.from_arrays([name, stamps, fleet, profile, *metrics], schema=_SCHEMA)
        self._writer.write_table(group, row_group_size=self._rows)
        self._kept, self._rows = [], 0
