"""A folder on this machine or a prefix in an object store: whole files that appear at once, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from argus_common.errors import ConfigurationError, TransientError


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file by its path under the folder."""

    path: str
    size: int


class ObjectFolder:
    """Files under a place such as ``archive``, ``s3://bucket/argus`` or ``gs://bucket/argus``."""

    def __init__(self, place: str) -> None:
        """Nothing is touched yet.

        Raises:
            ConfigurationError: no file system of this kind.
        """
        self.place = place
        try:
            local = "://" not in place
            self._files, root = (fs.LocalFileSystem(), str(Path(place).absolute())) if local else _remote(place)
        except (pa.ArrowException, OSError) as error:
            raise ConfigurationError(f"{place}: {error}") from error
        self._root = root.rstrip("/")
        self._local = isinstance(self._files, fs.LocalFileSystem)

    def list(self, folder: str = "") -> list[StoredFile]:
        """Every file under ``folder``, sorted; names that begin with a dot are none.

        Raises:
            TransientError: the store does not answer.
        """
        selector = fs.FileSelector(self._at(folder), recursive=True, allow_not_found=True)
        with _errors(self.place, "listing"):
            found = self._files.get_file_info(selector)
        files = [file for file in found if file.is_file and not file.base_name.startswith(".")]
        return sorted(
            (StoredFile(file.path[len(self._root) + 1 :], file.size) for file in files), key=lambda file: file.path
        )

    def put(self, path: str, content: bytes) -> None:
        """Write a file whole. It is durable when this returns; whoever is killed before leaves no half of it.

        Raises:
            TransientError: the store does not take it.
        """
        with _errors(self.place, f"writing {path}"):
            self._put_durably(path, content) if self._local else self._put_object(path, content)

    def get(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            FileNotFoundError: there is none.
            TransientError: the store does not answer.
        """
        with _errors(self.place, f"reading {path}"), self._files.open_input_file(self._at(path)) as opened:
            return bytes(opened.read())

    def delete(self, path: str) -> None:
        """Remove a file; one that is gone is fine.

        Raises:
            TransientError: the store does not answer.
        """
        with _errors(self.place, f"deleting {path}"):
            try:
                self._files.delete_file(self._at(path))
            except FileNotFoundError:
                return

    def _put_object(self, path: str, content: bytes) -> None:
        try:
            opened = self._files.open_output_stream(self._at(path))
        except FileNotFoundError:  # a store that has folders, such as HDFS
            self._files.create_dir(self._at(path).rpartition("/")[0], recursive=True)
            opened = self._files.open_output_stream(self._at(path))
        with opened:  # an object appears when it is closed
            opened.write(content)

    def _put_durably(self, path: str, content: bytes) -> None:
        place = Path(self._at(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_name(f".{place.name}.{os.getpid()}.part")
        with unfinished.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.replace(place)
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}".rstrip("/")


def _remote(place: str) -> tuple[fs.FileSystem, str]:
    files, root = fs.FileSystem.from_uri(place)
    return files, str(root)


@contextmanager
def _errors(place: str, what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise TransientError(f"{place}: {what} failed: {error}") from error
