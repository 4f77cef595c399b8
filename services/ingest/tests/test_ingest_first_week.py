"""What the owner of a fleet does in the first week, on the real servers: nothing of it costs data or needs a repair."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from aiokafka import AIOKafkaProducer
from argus_site import START_MS, Site, sample, until

from argus_common.fleet import FleetSums
from argus_common.metrics import DEFAULT_CATALOGUE, load_catalogue
from argus_common.redis_client import build_redis
from argus_common.ring import RingLayout, RingStore
from argus_common.ring.layout import Floats
from argus_common.topics import DEAD_LETTERS, METRICS

pytestmark = pytest.mark.stack

PATIENT = {"ARGUS_INGEST_IDLE_TIMEOUT": "600"}
KEPT = timedelta(days=1)
FIRST_STEP = START_MS // 300_000


def windows(site: Site) -> list[tuple[str, str, int, int, float | None]]:
    """(fleet, server, step in seconds, samples, idle CPU) of every window."""
    found = [json.loads(window) for window in asyncio.run(site.windows())]
    begin = START_MS // 1000
    rows = [(w["fleet"], w["server"], w["step"] * w["step_seconds"] - begin, w["samples"]) for w in found]
    return sorted((*row, w["metrics"].get("cpu_idle_pct")) for row, w in zip(rows, found, strict=True))


def wait_for_windows(site: Site, count: int) -> None:
    until(lambda: len(windows(site)) >= count, f"{count} windows")


def dead_letters(site: Site) -> list[str]:
    return [headers["argus_detail"].decode() for headers, _ in asyncio.run(site.records(DEAD_LETTERS.name))]


def body(server: str, timestamp: object, fleet: str = "default", idle: float = 50) -> tuple[str, bytes]:
    record = {
        "server": server,
        "fleet": fleet,
        "timestamp": timestamp,
        "metrics": {"cpu_idle_pct": idle, "cpu_user_pct": 100 - idle},
    }
    return server, json.dumps(record).encode()


def test_a_server_that_is_renamed_goes_on_under_its_new_name(site: Site) -> None:
    site.start_ingest()
    asyncio.run(site.produce([sample("old", 0, cpu_idle_pct=1), sample("new", 310, cpu_idle_pct=2)]))
    wait_for_windows(site, 2)
    assert windows(site) == [("default", "new", 300, 1, 2.0), ("default", "old", 0, 1, 1.0)]
    assert dead_letters(site) == []


@pytest.mark.parametrize(("before", "after"), [(60, 300), (300, 60)])
def test_another_length_of_the_step_makes_new_windows_at_once_and_loses_no_sample(
    site: Site, before: int, after: int
) -> None:
    first = site.start_ingest(**PATIENT, ARGUS_INGEST_STEP=str(before))
    asyncio.run(site.produce([sample("web1", t, cpu_idle_pct=50) for t in (0, 700)]))
    wait_for_windows(site, 1)
    assert first.terminate() == 0
    site.start_ingest(**PATIENT, ARGUS_INGEST_STEP=str(after))
    asyncio.run(site.produce([sample("web1", t, cpu_idle_pct=60) for t in (710, 1400)]))
    wait_for_windows(site, 2)
    begin = 700 // after * after
    assert windows(site) == [("default", "web1", 0, 1, 50.0), ("default", "web1", begin, 2, 55.0)]
    assert dead_letters(site) == []


def test_a_catalogue_that_is_extended_keeps_the_history_of_the_metrics_that_were_there(
    site: Site, tmp_path: Path
) -> None:
    first = site.start_ingest(**PATIENT)
    asyncio.run(site.produce([sample("web1", t, cpu_idle_pct=50) for t in (0, 400)]))
    wait_for_windows(site, 1)
    assert first.terminate() == 0
    extended = tmp_path / "metrics.yaml"
    extended.write_text("metrics:\n  gpu_used_pct: {unit: percent, lower: 0, upper: 100}\n")
    site.start_ingest(**PATIENT, ARGUS_INGEST_METRIC_CATALOGUE=str(extended))
    asyncio.run(site.produce([sample("web1", t, cpu_idle_pct=60, gpu_used_pct=9) for t in (410, 800)]))
    wait_for_windows(site, 2)
    catalogue = load_catalogue(extended)

    async def history() -> Floats:
        redis = build_redis(site.redis)
        layout = RingLayout(len(catalogue.names()), 288)
        rings = RingStore(redis, f"{site.redis.key_prefix}:{catalogue.fingerprint()}:ring", layout, KEPT)
        read = await rings.read(["default/web1"], FIRST_STEP + 1, 2)
        await redis.aclose()
        columns = [catalogue.names().index(name) for name in ("cpu_idle_pct", "gpu_used_pct")]
        found: Floats = read[0][:, columns]
        return found

    until(lambda: not np.isnan(asyncio.run(history())[1][0]), "the ring to have both steps")
    assert np.array_equal(asyncio.run(history()), np.array([[50, np.nan], [55, 9]]), equal_nan=True)
    assert dead_letters(site) == []


def test_two_fleets_with_servers_of_the_same_name_are_kept_apart(site: Site) -> None:
    site.start_ingest(**PATIENT)
    records = [
        body("web1", START_MS + t * 1000, fleet, idle) for t in (0, 400) for fleet, idle in (("a", 10), ("b", 90))
    ]
    asyncio.run(site.produce(records))
    wait_for_windows(site, 2)
    assert windows(site) == [("a", "web1", 0, 1, 10.0), ("b", "web1", 0, 1, 90.0)]

    async def mean(fleet: str) -> float:
        redis = build_redis(site.redis)
        key = f"{site.redis.key_prefix}:{DEFAULT_CATALOGUE.fingerprint()}:fleet:{fleet}:{FIRST_STEP}"
        parts: list[bytes] = await redis.hvals(key)  # type: ignore[assignment]
        await redis.aclose()
        return FleetSums.from_bytes(parts[0]).features()["fleet_cpu_user_pct_mean"] if parts else -1.0

    until(lambda: asyncio.run(mean("b")) == 10, "the fleets' sums")
    assert asyncio.run(mean("a")) == 90


@pytest.mark.parametrize("factor", [1, 1000, 1_000_000, 1_000_000_000], ids=["s", "ms", "us", "ns"])
def test_timestamps_in_any_unit_give_the_same_windows(site: Site, factor: int) -> None:
    site.start_ingest(**PATIENT)
    seconds = START_MS // 1000
    asyncio.run(site.produce([body("web1", (seconds + t) * factor) for t in (0, 400)]))
    wait_for_windows(site, 1)
    assert windows(site) == [("default", "web1", 0, 1, 50.0)]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_producers_may_compress_as_they_like_and_add_headers(site: Site, codec: str) -> None:
    async def produce() -> None:
        async with AIOKafkaProducer(bootstrap_servers=site.kafka.bootstrap_servers, compression_type=codec) as producer:
            for t in (0, 10, 400):
                server, value = sample("web1", t, cpu_idle_pct=50)
                headers = [("traceparent", b"00-1"), ("content-type", b"application/json")]
                await producer.send_and_wait(site.kafka.topic(METRICS.name), value, server.encode(), headers=headers)

    site.start_ingest(**PATIENT)
    asyncio.run(produce())
    wait_for_windows(site, 1)
    assert windows(site) == [("default", "web1", 0, 2, 50.0)]
    assert dead_letters(site) == []


def test_a_server_that_moves_to_another_partition_has_its_step_in_parts_only_while_it_moves(site: Site) -> None:
    """As after a change of the partitioner, or more partitions."""
    site.start_ingest()
    asyncio.run(site.produce([sample("web1", t, cpu_idle_pct=40) for t in (0, 300, 310)], partition=0))
    asyncio.run(site.produce([sample("web1", t, cpu_idle_pct=60) for t in (320, 600, 1000)], partition=1))
    wait_for_windows(site, 5)
    assert windows(site) == [
        ("default", "web1", 0, 1, 40.0),
        ("default", "web1", 300, 1, 60.0),
        ("default", "web1", 300, 2, 40.0),
        ("default", "web1", 600, 1, 60.0),
        ("default", "web1", 900, 1, 60.0),
    ]
    assert dead_letters(site) == []


def test_names_of_every_script_and_length_that_can_be_stored_are_servers(site: Site) -> None:
    site.start_ingest()
    names = ["сервер-１", "サーバー", "srv 🚀", "a" * 253, "db:1{x}%", "é" * 253]
    asyncio.run(site.produce([sample(name, 0, cpu_idle_pct=50) for name in names]))
    wait_for_windows(site, len(names))
    assert {server for _, server, *_ in windows(site)} == set(names)
    asyncio.run(site.produce([sample("b" * 254, 0, cpu_idle_pct=50)]))
    until(lambda: dead_letters(site) != [], "a dead letter")
    assert dead_letters(site)[0].startswith("invalid_server: server 'bbbb")
    until(lambda: set(asyncio.run(site.rings())) == {f"default/{name}" for name in names}, "the rings")
