"""Apache Kafka's Java libraries: exactly those of ``jars.lock``, fetched once into the user's Maven folder."""

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from argus_common.errors import ConfigurationError, TransientError

KAFKA_VERSION = "4.3.1"
LOCK_FILE = Path(__file__).with_name("jars.lock")
PARALLEL_DOWNLOADS = 8


@dataclass(frozen=True, slots=True)
class Jar:
    """One library: its Maven coordinates and the SHA-256 of its file."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where a Maven repository folder has it, relative to that folder."""
        folder = Path(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}.jar"


def default_cache() -> Path:
    """``$M2_REPO``, else ``~/.m2/repository``: what other Java tools have fetched is used, too."""
    configured = os.environ.get("M2_REPO")
    return Path(configured) if configured else Path.home() / ".m2" / "repository"


def locked_jars() -> list[Jar]:
    """What ``jars.lock`` lists, in the order of the class path."""
    jars = []
    for line in LOCK_FILE.read_text().splitlines():
        coordinates, sha256 = line.split()
        group, artifact, version = coordinates.split(":")
        jars.append(Jar(group, artifact, version, sha256))
    return jars


def kafka_jars(cache: Path, *, offline: bool = False) -> list[Path]:
    """Paths of Kafka's jars (45 MB), downloaded if they are not in ``cache``; without a network if they are.

    Raises:
        TransientError: they are not cached and can't be downloaded (or ``offline`` forbids it).
        ConfigurationError: ``cache`` can't be written.
    """
    jars = locked_jars()
    missing = [jar for jar in jars if not _is_whole(cache / jar.path)]
    if missing and offline:
        raise _not_available(cache, "offline mode forbids a download")
    if missing:
        _fetch(missing, cache)
    return [cache / jar.path for jar in jars]


def _is_whole(file: Path) -> bool:
    """Whether the file is there with its end: a jar's directory comes last, a broken-off download has none."""
    return file.is_file() and zipfile.is_zipfile(file)


def _fetch(jars: Sequence[Jar], cache: Path) -> None:
    """Download into a folder aside and move each whole file into place: several processes may do this at once."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".argus-", dir=cache))
    except OSError as error:
        raise ConfigurationError(
            f"Kafka's jars can't be kept in {cache}: {error}. Set M2_REPO to another folder."
        ) from error
    try:
        _download(jars, aside)
        for jar in jars:
            (cache / jar.path).parent.mkdir(parents=True, exist_ok=True)
            (aside / jar.path).replace(cache / jar.path)
    except Exception as error:  # jgo raises whatever its HTTP client raises, bare RuntimeErrors, too
        raise _not_available(cache, f"the download failed ({_first_line(error)})") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _download(jars: Sequence[Jar], folder: Path) -> None:
    from jgo.maven import MavenContext  # noqa: PLC0415 (slow to import, needed once in a machine's life)

    context = MavenContext(repo_cache=folder)

    def fetch(jar: Jar) -> None:
        file = Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        if found != jar.sha256:
            raise ValueError(f"{file.name} has the SHA-256 {found}, expected {jar.sha256}")

    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as threads:
        list(threads.map(fetch, jars))


def _not_available(cache: Path, reason: str) -> TransientError:
    return TransientError(
        f"Apache Kafka {KAFKA_VERSION} is not complete in {cache}, and {reason}. Connect this machine to the"
        " network once (45 MB), or point M2_REPO to a Maven repository folder that has it."
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
