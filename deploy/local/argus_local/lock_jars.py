"""Write ``jars.lock`` anew, after a change of the Kafka version: ``python -m argus_local.lock_jars``."""

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path

from jgo.maven import MavenContext
from jgo.parse import Endpoint

from argus_local.jars import KAFKA_VERSION, LOCK_FILE

ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
"""Without an slf4j binding even fatal errors of the broker are silent."""


def lock_lines(cache: Path) -> list[str]:
    """``group:artifact:version sha256`` of everything that Kafka needs at run time, downloaded into ``cache``."""
    # jgo.build() would download a JDK only to classify the jars; resolving needs none.
    context = MavenContext(repo_cache=cache)
    wanted = [
        context.create_dependency(replace(coordinate, scope="compile"))
        for coordinate in Endpoint.parse(ENDPOINT).coordinates
    ]
    direct, transitive = context.resolver.resolve(wanted)
    needed = [*direct, *[item for item in transitive if item.scope in ("compile", "runtime")]]
    return [f"{item.groupId}:{item.artifactId}:{item.version} {_sha256(item.artifact.resolve())}" for item in needed]


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as empty:
        LOCK_FILE.write_text("\n".join(lock_lines(Path(empty))) + "\n")
