"""Fixtures that every package's tests may use: a real Kafka and a real Redis, started once per session."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from argus_site import Site, end, make_site

from argus_local import Stack
from argus_local.containers import ContainerStack, container_stack

os.environ.pop("COLUMNS", None)  # how wide the terminal is of who runs the tests must not decide
SCRATCH_DATABASE = 9
"""The Redis database that is emptied for each test which asks for it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the servers, so that ``-m 'not stack'`` runs without Java."""
    servers = {"stack", "private_stack"}
    for item in items:
        if servers.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack | ContainerStack]:
    """Kafka and Redis for the whole session; never stop, suspend or flush these two."""
    if os.environ.get("ARGUS_TEST_STACK") == "containers":
        with container_stack() as containers:
            yield containers
    else:
        with Stack() as embedded:
            yield embedded


@pytest.fixture(scope="session")
def bootstrap_servers(stack: Stack | ContainerStack) -> str:
    """Address of the session's Kafka. Topics must be created; use ``unique_prefix`` in their names."""
    return stack.bootstrap_servers


@pytest.fixture
def redis_url(stack: Stack | ContainerStack) -> str:
    """URL of an empty database on the session's Redis, this test's alone while it runs."""
    url = f"{stack.redis_url.removesuffix('/0')}/{SCRATCH_DATABASE}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def unique_prefix() -> str:
    """Begins the names of this test's topics and consumer groups, such as ``t3f9a1c07-``."""
    return f"t{uuid.uuid4().hex[:8]}-"


@pytest.fixture(scope="module")
def private_stack() -> Iterator[Stack]:
    """Servers of this module's own, to be killed, suspended and restarted. Leave both running after each test."""
    with Stack() as embedded:
        yield embedded


@pytest.fixture
def site(bootstrap_servers: str, redis_url: str, unique_prefix: str, tmp_path: Path) -> Iterator[Site]:
    """Topics and keys with a prefix; its processes end with the test."""
    made = make_site(bootstrap_servers, redis_url, unique_prefix, tmp_path)
    yield made
    end(made)
