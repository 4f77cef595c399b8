"""The archive as Parquet files in a folder or an object store: pieces as they come, one file once a day is over."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from argus_common.errors import ConfigurationError
from argus_retrainer.adapters.object_folder import ObjectFolder, StoredFile
from argus_retrainer.domain.archive_day import Day
from argus_retrainer.domain.archive_names import in_order, piece, whole
from argus_retrainer.domain.archive_rows import mark, merged, rows_by_day
from argus_retrainer.domain.buffer import Held


@dataclass(frozen=True, slots=True)
class DayInfo:
    """What is known of a day without reading its rows."""

    files: tuple[str, ...]
    size: int


class ParquetArchive:
    """Blocking; a service calls it in a thread. Memory: one day of one fleet where it is read or compacted."""

    def __init__(self, folder: ObjectFolder) -> None:
        self._folder = folder

    def add(self, partition: int, held: Held) -> int:
        """Write what was read of a partition and return the number of files; again the same does no harm.

        Raises:
            TransientError: the store does not take it.
        """
        days = rows_by_day(held.windows)
        for day, table in days.items():
            self._put(f"{day.folder}/{piece(partition, held.first, held.last, mark(table))}", table)
        return len(days)

    def days(self) -> dict[Day, DayInfo]:
        """Every day, by step, fleet and date.

        Raises:
            TransientError: the store does not answer.
        """
        found: dict[Day, list[StoredFile]] = {}
        for file in self._folder.list():
            folder, _, name = file.path.rpartition("/")
            day = Day.parse(folder)
            if day is not None and name.endswith(".parquet"):
                found.setdefault(day, []).append(file)
        return {
            day: DayInfo(tuple(in_order(file.path.rpartition("/")[2] for file in files)), sum(f.size for f in files))
            for day, files in sorted(found.items())
        }

    def read(self, day: Day, files: tuple[str, ...]) -> pl.DataFrame | None:
        """All windows of a day, each once; None where somebody compacts it at this moment: list the days again.

        Raises:
            ConfigurationError: a file is not Parquet.
            TransientError: the store does not answer.
        """
        try:
            return merged([_table(f"{day.folder}/{name}", self._folder.get(f"{day.folder}/{name}")) for name in files])
        except FileNotFoundError:
            return None

    def compact(self, day: Day, files: tuple[str, ...]) -> bool:
        """One file in place of these; whether it was done. Killed in the middle it leaves some windows twice."""
        table = self.read(day, files)
        if table is None:
            return False
        self._put(f"{day.folder}/{whole(files)}", table)
        self._delete(day, files)
        return True

    def drop(self, day: Day, files: tuple[str, ...]) -> None:
        """Delete a day."""
        self._delete(day, files)

    def tables(self, days: dict[Day, DayInfo]) -> Iterator[tuple[Day, pl.DataFrame]]:
        """Day by day, those that are still there."""
        for day, info in days.items():
            table = self.read(day, info.files)
            while table is None:
                now = self.days().get(day)
                if now is None:
                    break
                table = self.read(day, now.files)
            if table is not None:
                yield day, table

    def _put(self, path: str, table: pl.DataFrame) -> None:
        out = io.BytesIO()
        table.write_parquet(out, compression="zstd")
        self._folder.put(path, out.getvalue())

    def _delete(self, day: Day, files: tuple[str, ...]) -> None:
        for name in files:
            self._folder.delete(f"{day.folder}/{name}")


def _table(path: str, content: bytes) -> pl.DataFrame:
    try:
        return pl.read_parquet(io.BytesIO(content))
    except pl.exceptions.PolarsError as error:
        raise ConfigurationError(f"{path}: not a Parquet file: {str(error).splitlines()[0]}") from error
