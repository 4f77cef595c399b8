"""Ticks to a file in place of a broker: Parquet in wide form, or NDJSON exactly as on the wire."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from argus_common.errors import ConfigurationError
from argus_simulator.adapters.kafka_sink import append_lines
from argus_simulator.domain.fleet import Fleet
from argus_simulator.domain.simulation import Tick
from argus_simulator.domain.truth import document
from argus_simulator.domain.wire import Record
from argus_simulator.domain.world import METRICS


class FileSink:
    """Writes ``file`` (by its suffix) and, where given, the truth as NDJSON."""

    def __init__(self, file: Path, fleet: Fleet, fleet_name: str, truth: Path | None) -> None:
        if file.suffix not in (".parquet", ".ndjson"):
            raise ConfigurationError(f"--out {file}: expected a .parquet or .ndjson file")
        self._file, self._fleet, self._fleet_name, self._truth = file, fleet, fleet_name, truth
        self._ticks: list[tuple[float, npt.NDArray[np.float64]]] = []
        for target in (file, truth):
            if target is not None:
                target.unlink(missing_ok=True)

    async def write(self, records: Sequence[Record], tick: Tick) -> None:
        """Keep the tick (Parquet) or append its records (NDJSON)."""
        if self._truth is not None:
            append_lines(self._truth, [msgspec.json.encode(document(truth)) for truth in tick.truth])
        if self._file.suffix == ".ndjson":
            append_lines(self._file, [value for _, value in records])
        else:
            self._ticks.append((tick.time_s, tick.values.astype(np.float32)))

    async def flush(self) -> None:
        """Write what was kept."""
        if self._file.suffix == ".parquet":
            self._frame().write_parquet(self._file)

    def _frame(self) -> pl.DataFrame:
        servers, count = len(self._fleet), len(self._ticks)
        times = np.repeat(np.array([round(time * 1000) for time, _ in self._ticks], np.int64), servers)
        profiles = [self._fleet.profile_of(server).name for server in range(servers)]
        values = np.concatenate([v for _, v in self._ticks]) if count else np.empty((0, len(METRICS)), np.float32)
        return pl.DataFrame(
            {
                "server": pl.Series(list(self._fleet.names) * count, dtype=pl.String),
                "timestamp": pl.Series(times).cast(pl.Datetime("ms", "UTC")),
                "fleet": pl.Series([self._fleet_name] * servers * count, dtype=pl.String),
                "profile": pl.Series(profiles * count, dtype=pl.String),
                **{name: values[:, column] for column, name in enumerate(METRICS)},
            }
        )
