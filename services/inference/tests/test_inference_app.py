"""The whole service in this process, wired as it is in production."""

import asyncio
import logging
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from argus_site import Site, end, free_port, make_site, until
from inference_site import RING_STEPS, STEP, event, fill_rings, publish, windows

from argus_common.errors import DeadLetterFloodError
from argus_common.settings import OpsSettings
from argus_common.topics import PREDICTIONS
from argus_inference.app import Configuration, serve
from argus_inference.settings import InferenceSettings

DEADLINE_SECONDS = 60.0


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """As it was before."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


@pytest.fixture
def site(bootstrap_servers: str, redis_url: str, unique_prefix: str, tmp_path: Path) -> Iterator[Site]:
    made = make_site(bootstrap_servers, redis_url, unique_prefix, tmp_path)
    yield made
    end(made)


def configuration(site: Site, port: int) -> Configuration:
    settings = InferenceSettings(
        group=site.kafka.topic_prefix + "inference", ring_steps=RING_STEPS, history_steps=240, chunk_servers=8
    )
    return Configuration(settings, site.kafka, site.redis, OpsSettings(port=port))


@asynccontextmanager
async def running(site: Site, port: int) -> AsyncIterator["asyncio.Task[None]"]:
    """The service, stopped politely at the end."""
    stop = asyncio.Event()
    service = asyncio.create_task(serve(configuration(site, port), stop))
    try:
        yield service
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.wait({service}), DEADLINE_SECONDS)


def fetched(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def until_ready(port: int) -> str:
    until(lambda: fetched(port, "/readyz") == "ok\n", "the service to be ready")
    return fetched(port, "/readyz")


async def forecasts(site: Site, count: int) -> list[bytes]:
    """At least so many."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        found: list[bytes] = []
        while len(found) < count:  # reading the topic anew takes its time
            found = [value for _, value in await site.records(PREDICTIONS.name)]
    return found


async def test_windows_are_forecast_until_the_service_is_told_to_stop(site: Site) -> None:
    servers, port = [f"web{i}" for i in range(20)], free_port()
    await fill_rings(site, servers)
    async with running(site, port) as service:
        await publish(site, windows(servers))
        found = [event(value) for value in await forecasts(site, len(servers))]
        assert await asyncio.to_thread(until_ready, port) == "ok\n"
        text = await asyncio.to_thread(fetched, port, "/metrics")
        assert not service.done()
    assert service.exception() is None
    assert sorted(told.server for told in found) == sorted(servers)
    assert {told.origin for told in found} == {STEP}
    assert "argus_inference_forecasts_total 20.0" in text
    assert fetched(port, "/livez") == ""


async def test_an_unreadable_flood_ends_the_service_with_its_reason(site: Site) -> None:
    async with running(site, free_port()) as service:
        await publish(site, [], *[("web1", b"{")] * 600, partition=0)
        await asyncio.wait_for(asyncio.wait({service}), DEADLINE_SECONDS)
        with pytest.raises(DeadLetterFloodError, match="600 of the last 600"):
            service.result()
    assert await site.records(PREDICTIONS.name) == []
