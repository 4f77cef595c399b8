"""The model store: a folder with a folder per model and, in it, one per version. Needs no torch."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from argus_common.errors import ModelUnavailableError
from argus_common.events import MODEL_NAME

WEIGHTS, MANIFEST, CARD = "model.safetensors", "manifest.json", "card.md"
MAX_MANIFEST_BYTES = 2**20

_NAME = re.compile(MODEL_NAME)


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The versions under ``folder``. A name from outside never leads out of it."""

    folder: Path

    def place(self, name: str, version: str) -> Path:
        """The folder of a version, whether it exists or not.

        Raises:
            ModelUnavailableError: a name is not one.
        """
        for text in (name, version):
            if not _NAME.fullmatch(text):
                raise ModelUnavailableError(
                    f"{text!r} is no name: use at most 64 lower-case letters, digits, '.', '_', '-'"
                )
        return self.folder / name / version

    def places(self) -> Iterator[Path]:
        """The folder of every version that is complete, by name and version."""
        yield from (file.parent for file in sorted(self.folder.glob(f"*/*/{MANIFEST}")))

    def holds(self, name: str, version: str) -> bool:
        """Whether the version is there, complete; its manifest is written last."""
        return (self.place(name, version) / MANIFEST).is_file()

    def sha256(self, name: str, version: str) -> str:
        """Of the version's manifest, which holds that of its weights.

        Raises:
            ModelUnavailableError: it can't be read.
        """
        return hashlib.sha256(read_file(self.place(name, version) / MANIFEST, MAX_MANIFEST_BYTES)).hexdigest()

    def require(self, name: str, version: str, sha256: str | None = None) -> Path:
        """The folder of a version that is there and, where ``sha256`` is given, is the one that was meant.

        Raises:
            ModelUnavailableError: it is missing, or its manifest is another.
        """
        place = self.place(name, version)
        if not self.holds(name, version):
            raise ModelUnavailableError(f"{place}: there is no such version in this store")
        if sha256 is not None and (found := self.sha256(name, version)) != sha256:
            raise ModelUnavailableError(f"{place / MANIFEST}: sha256 {found}, what was promoted has {sha256}: altered")
        return place


def read_file(file: Path, limit: int) -> bytes:
    """The bytes of a file of at most ``limit`` bytes.

    Raises:
        ModelUnavailableError: it is larger, or can't be read.
    """
    try:
        size = file.stat().st_size
        if size > limit:
            raise ModelUnavailableError(f"{file}: {size} bytes, more than the {limit} that a model may have")
        return file.read_bytes()
    except OSError as error:
        raise ModelUnavailableError(f"{file}: {error.strerror}") from error
