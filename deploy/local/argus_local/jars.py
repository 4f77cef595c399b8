"""Apache Kafka's Java libraries, fetched once into the user's Maven repository folder."""

import os
from dataclasses import replace
from pathlib import Path

from argus_common.errors import TransientError

KAFKA_VERSION = "4.3.1"
ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
"""Without an slf4j binding even fatal errors of the broker are silent."""


def default_cache() -> Path:
    """``$M2_REPO``, else ``~/.m2/repository``: what other Java tools have fetched is used, too."""
    configured = os.environ.get("M2_REPO")
    return Path(configured) if configured else Path.home() / ".m2" / "repository"


def kafka_jars(cache: Path, *, offline: bool = False) -> list[Path]:
    """Paths of Kafka's 46 jars (45 MB), downloaded if they are not in ``cache``.

    Raises:
        TransientError: they are not cached and can't be downloaded (or ``offline`` forbids it).
    """
    try:
        return _resolve(cache, offline=offline)
    except Exception as error:  # jgo raises whatever its parsers and HTTP client raise
        reason = "offline mode forbids a download" if offline else f"the download failed ({_first_line(error)})"
        raise TransientError(
            f"Apache Kafka {KAFKA_VERSION} is not complete in {cache}, and {reason}. Connect this machine to the"
            " network once (45 MB), or point M2_REPO to a Maven repository folder that has it."
        ) from error


def _resolve(cache: Path, *, offline: bool) -> list[Path]:
    # jgo.build() would download a JDK only to classify the jars; resolving needs none.
    from jgo.maven import MavenContext  # noqa: PLC0415 (slow to import, needed only to start a broker)
    from jgo.parse import Endpoint  # noqa: PLC0415

    context = MavenContext(repo_cache=cache, offline=offline)
    wanted = [
        context.create_dependency(replace(coordinate, scope="compile"))
        for coordinate in Endpoint.parse(ENDPOINT).coordinates
    ]
    direct, transitive = context.resolver.resolve(wanted)
    needed = [*direct, *[item for item in transitive if item.scope in ("compile", "runtime")]]
    return [Path(item.artifact.resolve()) for item in needed]


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
