import gzip
import http.client
import logging
import socket
import time
from collections.abc import Iterator
from importlib.metadata import version

import pytest
from prometheus_client import CollectorRegistry, Counter

from argus_common.clock import ManualClock
from argus_common.errors import ConfigurationError
from argus_common.ops import Health, OpsServer
from argus_common.ops.registry import build_registry

LOOPBACK = "127.0.0.1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def health(clock: ManualClock) -> Health:
    return Health("kafka", "redis", stuck_after=60, clock=clock)


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("argus_test_records", "Records.", registry=registry).inc(3)
    return registry


@pytest.fixture
def server(registry: CollectorRegistry, health: Health) -> Iterator[OpsServer]:
    with OpsServer(registry, health, LOOPBACK, 0) as server:
        yield server


def get(server: OpsServer, path: str, **headers: str) -> tuple[int, str, bytes, str]:
    connection = http.client.HTTPConnection(LOOPBACK, server.port, timeout=10)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    encoding = response.headers.get("Content-Encoding", "")
    return response.status, response.headers["Content-Type"], body, encoding


def test_a_service_is_live_until_it_is_silent_for_longer_than_allowed(health: Health, clock: ManualClock) -> None:
    clock.advance(60)
    assert health.live() == []
    clock.advance(0.5)
    assert health.live() == ["no progress for 60 s"]
    health.beat()
    assert health.live() == []


def test_a_service_is_ready_when_every_condition_holds_and_it_is_not_stuck(health: Health, clock: ManualClock) -> None:
    assert health.ready() == ["kafka: not ready", "redis: not ready"]
    health.set("redis", holds=True)
    health.set("kafka", holds=True)
    assert health.ready() == []
    health.set("kafka", holds=False)
    clock.advance(61)
    assert health.ready() == ["no progress for 61 s", "kafka: not ready"]


def test_a_service_that_waits_for_longer_than_a_few_seconds_is_not_ready_until_it_has_what_it_waited_for(
    health: Health, clock: ManualClock
) -> None:
    health.set("redis", holds=True)
    health.set("kafka", holds=True)
    with health.waiting("redis", "write rings"):
        clock.advance(5)
        with health.waiting("kafka", "publish windows"):
            assert health.ready() == []
            clock.advance(1)
            assert health.ready() == ["redis: waiting for 6 s to write rings"]
            clock.advance(6)
            assert health.ready() == [
                "redis: waiting for 12 s to write rings",
                "kafka: waiting for 7 s to publish windows",
            ]
        assert health.ready() == ["redis: waiting for 12 s to write rings"]
        assert health.live() == []
    assert health.ready() == []


def test_a_wait_that_ends_with_an_error_is_over(health: Health, clock: ManualClock) -> None:
    with pytest.raises(OSError, match="gone"), health.waiting("redis", "write rings"):  # noqa: PT012 - the clock turns
        clock.advance(10)
        raise OSError("gone")
    assert health.ready() == ["kafka: not ready", "redis: not ready"]


def test_metrics_are_answered_in_the_prometheus_format(server: OpsServer) -> None:
    status, kind, body, _ = get(server, "/metrics?name[]=x")
    assert status == 200
    assert kind.startswith("text/plain; version=")
    assert b"argus_test_records_total 3.0\n" in body


def test_cached_pages_follow_the_registry(registry: CollectorRegistry, health: Health) -> None:
    with OpsServer(registry, health, LOOPBACK, 0, pages=[lambda: b"one 1\n", lambda: b"two 2\n"]) as server:
        _, _, body, _ = get(server, "/metrics")
    assert body.endswith(b"one 1\ntwo 2\n")
    assert body.startswith(b"# HELP argus_test_records_total")


def test_a_large_answer_is_compressed_for_who_takes_it(registry: CollectorRegistry, health: Health) -> None:
    page = b"argus_forecast 1\n" * 1000
    with OpsServer(registry, health, LOOPBACK, 0, pages=[lambda: page]) as server:
        plain = get(server, "/metrics")
        packed = get(server, "/metrics", Accept_Encoding="gzip, deflate")
        small = get(server, "/livez", Accept_Encoding="gzip")
    assert plain[3] == ""
    assert packed[3] == "gzip"
    assert len(packed[2]) < len(plain[2]) / 10
    assert gzip.decompress(packed[2]) == plain[2]
    assert small[2:] == (b"ok\n", "")


def test_probes_answer_with_what_is_wrong(server: OpsServer, health: Health, clock: ManualClock) -> None:
    assert get(server, "/livez")[0] == 200
    assert get(server, "/readyz")[:3] == (503, "text/plain; charset=utf-8", b"kafka: not ready\nredis: not ready\n")
    health.set("kafka", holds=True)
    health.set("redis", holds=True)
    assert get(server, "/readyz")[:3] == (200, "text/plain; charset=utf-8", b"ok\n")
    clock.advance(90)
    assert get(server, "/livez")[0::2] == (503, b"no progress for 90 s\n")
    assert get(server, "/readyz")[0] == 503


def test_another_path_is_told_what_there_is(server: OpsServer) -> None:
    assert get(server, "/")[0::2] == (404, b"try /metrics, /livez or /readyz\n")


def test_it_answers_while_the_main_thread_is_busy(server: OpsServer) -> None:
    with socket.create_connection((LOOPBACK, server.port), timeout=10) as client:
        client.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        client.setblocking(False)
        answer, deadline = b"", time.monotonic() + 60
        while time.monotonic() < deadline:  # never waits, like a forward pass that holds the event loop
            sum(range(10_000))
            try:
                answer += client.recv(4096)
            except BlockingIOError:
                continue
            if answer.endswith(b"ok\n"):
                break
    assert answer.startswith(b"HTTP/1.0 200 OK")


def test_a_page_that_fails_is_a_500_and_the_server_goes_on(
    registry: CollectorRegistry, health: Health, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> bytes:
        raise ZeroDivisionError("a bug")

    with (
        OpsServer(registry, health, LOOPBACK, 0, pages=[broken]) as server,
        caplog.at_level(logging.ERROR, "argus.ops"),
    ):
        assert get(server, "/metrics")[0::2] == (500, b"this page failed, the log says why\n")
        assert get(server, "/livez")[0] == 200
    assert caplog.records[0].message == "a page failed"


def test_a_client_that_hangs_up_is_no_news(server: OpsServer, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(5):
        with socket.create_connection((LOOPBACK, server.port)) as client:
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    assert get(server, "/livez")[0] == 200
    assert capfd.readouterr().err == ""


def test_a_taken_port_is_told_with_the_variable_that_changes_it(
    server: OpsServer, registry: CollectorRegistry, health: Health
) -> None:
    with pytest.raises(ConfigurationError, match=rf"can't listen on 127\.0\.0\.1:{server.port}.*ARGUS_OPS_PORT"):
        OpsServer(registry, health, LOOPBACK, server.port)


def test_stopping_frees_the_port_and_stopping_what_never_started_is_fine(
    registry: CollectorRegistry, health: Health
) -> None:
    never_started = OpsServer(registry, health, LOOPBACK, 0)
    port = never_started.port
    never_started.stop()
    with OpsServer(registry, health, LOOPBACK, port) as again:
        assert get(again, "/livez")[0] == 200
    with OpsServer(registry, health, LOOPBACK, port) as once_more:
        assert once_more.port == port


def test_every_service_tells_its_version_and_what_it_uses(health: Health) -> None:
    registry = build_registry("common")
    with OpsServer(registry, health, LOOPBACK, 0) as server:
        _, _, body, _ = get(server, "/metrics")
    assert f'argus_build_info{{service="common",version="{version("argus-common")}"}} 1.0\n'.encode() in body
    assert b"process_resident_memory_bytes " in body


def test_each_service_has_a_registry_of_its_own() -> None:
    assert build_registry("common") is not build_registry("common")
