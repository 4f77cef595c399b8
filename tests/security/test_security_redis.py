"""The Redis client against a server with users, as in production."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import redis
from redis.asyncio import Redis

from argus_common.errors import ConfigurationError, TransientError
from argus_common.redis_client import build_redis, ping, redis_errors
from argus_common.ring import RingLayout, RingStore
from argus_common.settings import RedisSettings
from argus_local.ports import LOOPBACK, free_ports
from argus_local.redis_server import RedisServer

pytestmark = pytest.mark.stack

PASSWORD = "app-secret"
USERS = (
    "default off",
    f"app on >{PASSWORD} ~argus:* +@all -@admin -@dangerous",
    f"reader on >{PASSWORD} ~argus:* +@read +ping",
)


class RedisWithUsers(RedisServer):
    """The default user is off; ``app`` may do everything with our keys, ``reader`` may only read them."""

    def prepare(self) -> list[str]:
        return [*super().prepare(), *[part for user in USERS for part in ("--user", *user.split())]]

    def ready(self) -> bool:
        try:
            return super().ready() or self._answers()
        except redis.AuthenticationError:
            return True

    def _answers(self) -> bool:
        with redis.Redis(host=LOOPBACK, port=self.port, username="app", password=PASSWORD) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisWithUsers]:
    server = RedisWithUsers(tmp_path_factory.mktemp("users") / "redis", free_ports(1)[0])
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def client(server: RedisServer, username: str | None, password: str | None) -> AsyncIterator[Redis]:
    settings = RedisSettings.model_validate({"url": server.address, "username": username, "password": password})
    client = build_redis(settings)
    try:
        yield client
    finally:
        await client.aclose()


async def test_a_user_of_the_acl_writes_and_reads_rings(server: RedisWithUsers) -> None:
    steps, values = np.asarray([5], np.int64), np.asarray([[1.5, 2.5]], np.float32)
    async with client(server, "app", PASSWORD) as redis_client:
        await ping(redis_client)
        rings = RingStore(redis_client, "argus:ring", RingLayout(2, 10))
        await rings.write(["a"], steps, values)
        assert (await rings.read(["a"], 5, 1)).tolist() == [[[1.5, 2.5]]]


@pytest.mark.parametrize(
    ("username", "password"), [("app", "wrong"), ("stranger", PASSWORD), (None, PASSWORD), (None, None)]
)
async def test_refused_credentials_are_wrong_configuration(
    server: RedisWithUsers, username: str | None, password: str | None
) -> None:
    async with client(server, username, password) as redis_client:
        with pytest.raises(ConfigurationError, match="Redis refuses the credentials while connecting: ") as caught:
            await ping(redis_client)
    assert PASSWORD not in str(caught.value)


async def test_a_user_without_the_permission_is_wrong_configuration(server: RedisWithUsers) -> None:
    async with client(server, "reader", PASSWORD) as redis_client:
        with (
            pytest.raises(ConfigurationError, match="the Redis user lacks a permission while writing rings: "),
            redis_errors("writing rings"),
        ):
            await redis_client.set("argus:x", 1)
        rings = RingStore(redis_client, "argus:ring", RingLayout(2, 10))
        with pytest.raises(ConfigurationError, match="the Redis user lacks a permission while reading rings"):
            await rings.read(["a"], 5, 1)


async def test_keys_of_others_are_out_of_reach(server: RedisWithUsers) -> None:
    async with client(server, "app", PASSWORD) as redis_client:
        with pytest.raises(ConfigurationError, match="lacks a permission"), redis_errors("reading"):
            await redis_client.get("someone:else")


async def test_a_redis_that_is_gone_is_an_outage_and_not_a_configuration_error() -> None:
    settings = RedisSettings(url=f"redis://{LOOPBACK}:{free_ports(1)[0]}/0")
    redis_client = build_redis(settings)
    with pytest.raises(TransientError, match="Redis failed while connecting: "):
        await ping(redis_client)
    await redis_client.aclose()


async def test_a_redis_that_stops_while_we_work_is_an_outage_and_comes_back(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", free_ports(1)[0])
    server.start()
    async with client(server, None, None) as redis_client:
        await ping(redis_client)
        server.kill()
        with pytest.raises(TransientError, match="Redis failed while connecting: "):
            await ping(redis_client)
        server.start()
        await ping(redis_client)
    server.stop()


@pytest.fixture
async def tls_port(server: RedisWithUsers, server_pem: tuple[Path, Path]) -> AsyncIterator[int]:
    """TLS in front of the server: the bundled one was built without it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*server_pem)
    links: set[asyncio.Task[None]] = set()

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        target.close()

    async def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(LOOPBACK, server.port)
        for task in (pump(reader, there_writer), pump(there_reader, writer)):
            links.add(asyncio.create_task(task))

    proxy = await asyncio.start_server(link, LOOPBACK, 0, ssl=context)
    yield proxy.sockets[0].getsockname()[1]
    proxy.close()
    for task in links:
        task.cancel()
    await asyncio.gather(*links, return_exceptions=True)


def tls_settings(port: int, ca_file: Path, host: str = LOOPBACK) -> RedisSettings:
    return RedisSettings.model_validate(
        {"url": f"rediss://{host}:{port}/0", "ca_file": ca_file, "username": "app", "password": PASSWORD}
    )


async def test_redis_is_reached_over_tls(tls_port: int, certificates: Path) -> None:
    redis_client = build_redis(tls_settings(tls_port, certificates / "ca.pem"))
    await redis_client.set("argus:tls", b"encrypted")
    assert await redis_client.get("argus:tls") == b"encrypted"
    await redis_client.aclose()


@pytest.mark.parametrize(("authority", "host"), [("other.pem", LOOPBACK), ("ca.pem", "localhost")])
async def test_a_redis_whose_certificate_is_not_trusted_is_wrong_configuration(
    tls_port: int, certificates: Path, authority: str, host: str
) -> None:
    redis_client = build_redis(tls_settings(tls_port, certificates / authority, host))
    with pytest.raises(
        ConfigurationError, match=r"Redis's certificate is not trusted while connecting .*ARGUS_REDIS_CA_FILE"
    ):
        await ping(redis_client)
    await redis_client.aclose()


def test_a_certificate_file_that_is_not_there_is_wrong_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"ARGUS_REDIS_CA_FILE: .*missing\.pem: No such file"):
        build_redis(tls_settings(6379, tmp_path / "missing.pem"))
