"""The demo's processes: embedded servers, ingest, inference, and whoever produces samples."""

import asyncio
import socket
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from argus_common.errors import TransientError
from argus_common.kafka.provision import provision
from argus_common.settings import KafkaSettings
from argus_local import Stack
from argus_local.process import ServiceProcess

PARTITIONS = 4
READY_SECONDS = 60.0
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}


@dataclass(slots=True)
class DemoSite:
    """Starts everything in order, stops it in reverse; what runs here ends with this process."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    stack: Stack = field(init=False)
    services: dict[str, ServiceProcess] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stack = Stack()

    def __enter__(self) -> Self:
        self.stack.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for service in reversed(list(self.services.values())):
            service.stop()
        self.stack.stop()

    @property
    def kafka(self) -> KafkaSettings:
        """How to reach the embedded Kafka."""
        return KafkaSettings(bootstrap_servers=self.stack.bootstrap_servers)

    def create_topics(self) -> None:
        """Provision the catalogue's topics, few partitions each."""
        asyncio.run(provision(self.kafka, partitions=PARTITIONS))

    def start(self, name: str, module: str, *arguments: str, serves: bool = True) -> None:
        """Start a process under the demo's settings; one that serves gets an ops port."""
        if serves:
            self.ports[name] = _free_port()
        environment = (
            ONE_THREAD
            | dict(self.settings)
            | {
                "ARGUS_KAFKA_BOOTSTRAP_SERVERS": self.stack.bootstrap_servers,
                "ARGUS_REDIS_URL": self.stack.redis_url,
                "ARGUS_OPS_PORT": str(self.ports.get(name, 0)),
            }
        )
        self.services[name] = ServiceProcess(module, self.folder / f"{name}.log", environment, *arguments)

    def wait_ready(self, name: str) -> None:
        """Return once ``/readyz`` says so.

        Raises:
            TransientError: it ended, or did not become ready; the text has the end of its log.
        """
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and self.services[name].running:
            try:
                with urllib.request.urlopen(self._url(name, "readyz"), timeout=2):  # noqa: S310 - our own address
                    return
            except OSError:
                time.sleep(0.1)
        raise TransientError(f"{name} did not become ready:\n{self.services[name].log_tail()}")

    def series(self, name: str) -> dict[str, float]:
        """The series on the service's ``/metrics``; empty where it does not answer."""
        try:
            with urllib.request.urlopen(self._url(name, "metrics"), timeout=5) as answer:  # noqa: S310 - our own address
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {key: float(value) for key, value in pairs}

    def failed(self) -> str | None:
        """The name of a process that has ended and should not have: one that serves, or one that failed."""
        ended = {name: service.exit_code for name, service in self.services.items() if not service.running}
        return next((name for name, code in ended.items() if name in self.ports or code), None)

    def _url(self, name: str, page: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}/{page}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
