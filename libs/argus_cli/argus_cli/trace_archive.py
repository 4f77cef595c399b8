"""Open a trace of any size as one array on disk."""

from pathlib import Path

from argus_cli.trace_frame import Selection, read_trace
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.archive import Archive, open_store
from argus_forecasting.grid import infer_step
from argus_forecasting.trace_store import TraceStore, build, extent, with_derived


def open_trace(place: Path, step: int | None, folder: Path, servers: int | None = None) -> TraceStore:
    """The trace as an array under ``folder``; of a Parquet file or a folder of them only a few rows are in memory.

    Args:
        place: Parquet, a folder of Parquet files, or CSV, which is read as a whole.
        step: seconds per step; inferred by default.
        folder: where the array goes; it is 6 bytes for each metric, server and step while it is made, then 4.
        servers: only the first so many by name; all by default.

    Raises:
        ConfigurationError: it can't be read, is empty, or its step can't be inferred.
    """
    if place.is_dir() or place.suffix.lower() == ".parquet":
        archive = Archive.at(place)
        return open_store(archive if servers is None else archive.first(servers), step, folder, DEFAULT_CATALOGUE)
    rows = read_trace(place, Selection(servers=servers))
    seconds = step or infer_step(rows)
    return build([rows], with_derived(extent([rows], seconds), DEFAULT_CATALOGUE), seconds, folder)
