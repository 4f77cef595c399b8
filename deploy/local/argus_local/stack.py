"""Kafka and Redis together, on loopback, for the demo, the tests and a laptop without containers."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from argus_common.errors import ConfigurationError
from argus_local.kafka_server import KafkaServer
from argus_local.ports import free_ports, is_free
from argus_local.redis_server import RedisServer
from argus_local.server import Server, ServerStatus

USUAL_KAFKA_PORT = 9092
USUAL_REDIS_PORT = 6379


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports to listen on."""

    kafka: int
    redis: int

    @classmethod
    def free(cls) -> Self:
        """Two ports nobody uses, away from the usual ones."""
        return cls(*free_ports(2))

    @classmethod
    def usual(cls) -> Self:
        """9092 and 6379, so that default settings fit; another free one where one of them is taken."""
        spare = free_ports(2)
        return cls(
            USUAL_KAFKA_PORT if is_free(USUAL_KAFKA_PORT) else spare[0],
            USUAL_REDIS_PORT if is_free(USUAL_REDIS_PORT) else spare[1],
        )


class Stack:
    """A real Kafka and a real Redis with a data folder of their own.

    Used as a context manager it runs inside the block, and both servers end with this process even when it is
    killed. With ``detached`` they stay until ``stop`` is called, from any process, on the same folder.

    Args:
        data_dir: where topics, offsets, logs and the state file are kept; None for a temporary folder that
            ``stop`` removes.
        ports: where to listen; free ones by default.
        detached: outlive this process.
        jar_cache: Maven repository folder with Kafka's jars; ``$M2_REPO`` or ``~/.m2/repository`` by default.
        offline: never download.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        ports: Ports | None = None,
        detached: bool = False,
        jar_cache: Path | None = None,
        offline: bool = False,
    ) -> None:
        self._temporary = data_dir is None
        self.data_dir = (data_dir or Path(tempfile.mkdtemp(prefix="argus-stack-"))).absolute()
        self.ports = ports or Ports.free()
        self.kafka = KafkaServer(
            self.data_dir / "kafka", self.ports.kafka, detached=detached, jar_cache=jar_cache, offline=offline
        )
        self.redis = RedisServer(self.data_dir / "redis", self.ports.redis, detached=detached)

    @classmethod
    def running_in(cls, data_dir: Path) -> "Stack | None":
        """The stack that runs on this folder, or what is left of it; None if nothing runs there."""
        stack = cls(data_dir, detached=True)
        adopted = [server.adopt() for server in stack.servers]
        return stack if any(adopted) else None

    @property
    def servers(self) -> tuple[Server, Server]:
        """Both, Redis first: it starts sooner and stops later."""
        return self.redis, self.kafka

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's address for clients."""
        return self.kafka.address

    @property
    def redis_url(self) -> str:
        """Redis's address for clients, database 0."""
        return self.redis.address

    def start(self) -> None:
        """Start both servers and return when both answer; nothing is left behind when one does not.

        Raises:
            ConfigurationError: a stack already runs on this folder, a port is taken, or a program can't run.
            TransientError: jars are missing and can't be fetched, or a server did not come up.
        """
        if self.running_in(self.data_dir) is not None:
            raise ConfigurationError(f"a stack is already running on {self.data_dir}: stop it first")
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"the stack's data can't be kept in {self.data_dir}: {error}") from error
        try:
            for server in self.servers:
                server.spawn()
            for server in self.servers:
                server.wait_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both servers; stopping a stopped stack is fine. A temporary data folder is removed."""
        for server in reversed(self.servers):
            server.stop()
        if self._temporary:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def status(self) -> list[ServerStatus]:
        """What runs of this stack."""
        return [found for server in reversed(self.servers) if (found := server.status()) is not None]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
