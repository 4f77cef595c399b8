"""One record of each kind of garbage on the real servers: a dead letter each, the neighbours' windows, no crash."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from argus_site import START_MS, IngestProcess, Site, free_port, sample, send_all, until

from argus_common.kafka import build_admin
from argus_common.kafka.provision import provision
from argus_common.topics import DEAD_LETTERS, METRICS, TOPICS
from argus_ingest.__main__ import main

pytestmark = pytest.mark.stack

TEN_MEGABYTES = 10 * 1024 * 1024


def metric(value: str, name: str = "cpu_idle_pct") -> bytes:
    return b'{"server":"web1","timestamp":%d,"metrics":{"%s":%s}}' % (START_MS, name.encode(), value.encode())


GARBAGE: dict[str, tuple[bytes | None, str]] = {
    "not JSON": (b"cpu 12", "not_json"),
    "invalid UTF-8": (b'{"server":"\xff\xfe"}', "not_json"),
    "arrays nested by the thousand": (b"[" * 100_000, "not_json"),
    "records nested by the thousand": (b'{"records":[' * 80_000, "not_json"),
    "a wrong type": (metric('"high"'), "wrong_type"),
    "NaN": (metric("NaN"), "not_finite"),
    "Infinity": (metric("Infinity"), "not_finite"),
    "1e308": (metric("1e308"), "out_of_range"),
    "a huge integer": (metric("9" * 400), "not_finite"),
    "ten megabytes": (b"x" * TEN_MEGABYTES, "too_large"),
    "a future clock": (
        json.dumps(json.loads(metric("1")) | {"timestamp": "2999-01-01T00:00:00Z"}).encode(),
        "future_clock",
    ),
    "no time": (b'{"server":"web1","metrics":{"cpu_idle_pct":1}}', "invalid_timestamp"),
    "no server": (b'{"timestamp":%d,"metrics":{"cpu_idle_pct":1}}' % START_MS, "missing_server"),
    "an illegal server": (metric("1").replace(b"web1", b"a/b"), "invalid_server"),
    "half a surrogate pair": (metric("1").replace(b"web1", b"\\ud800"), "invalid_server"),
    "a thousand unknown metrics": (
        json.dumps({"server": "web1", "timestamp": START_MS, "metrics": {f"m{i}": i for i in range(1000)}}).encode(),
        "unknown_metric",
    ),
    "an empty batch": (b"[]", "empty"),
    "a tombstone": (None, "empty"),
    "a late sample": (metric("1").replace(b"web1", b"late1"), "late"),
}


@pytest.fixture
def open_site(site: Site) -> Site:
    """Its own metrics topic, in one partition, takes records of ten megabytes."""
    large = {"max.message.bytes": str(2 * TEN_MEGABYTES)}

    async def create() -> None:
        kafka = site.kafka.model_copy(update={"topic_prefix": site.kafka.topic_prefix + "large-"})
        admin = build_admin(kafka)
        await admin.start()
        await admin.create_topics([NewTopic(kafka.topic(METRICS.name), 1, 1, topic_configs=large)])
        await admin.close()
        await provision(kafka, [topic for topic in TOPICS if topic is not METRICS], partitions=1)
        site.kafka = kafka

    asyncio.run(create())
    return site


def produce(site: Site, values: list[tuple[str, bytes | None]]) -> None:
    """Send, however large."""

    async def send() -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=site.kafka.bootstrap_servers, max_request_size=2 * TEN_MEGABYTES, enable_idempotence=True
        )
        await producer.start()
        await send_all(producer, site.kafka.topic(METRICS.name), values)  # type: ignore[arg-type]
        await producer.stop()

    asyncio.run(send())


def letters(site: Site) -> list[tuple[dict[str, bytes], bytes]]:
    return asyncio.run(site.records(DEAD_LETTERS.name))


def resident_megabytes(replica: IngestProcess) -> float:
    status = Path(f"/proc/{replica.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def test_each_kind_of_garbage_becomes_a_dead_letter_and_its_neighbours_become_windows(open_site: Site) -> None:
    replica = open_site.start_ingest(ARGUS_INGEST_IDLE_TIMEOUT="600")
    values: list[tuple[str, bytes | None]] = [("late1", sample("late1", 400, cpu_idle_pct=1)[1])]
    for number, (value, _) in enumerate(GARBAGE.values()):
        values += [sample(f"good{number}", 0, cpu_idle_pct=number), ("x", value)]
    values += [sample(f"good{number}", 400, cpu_idle_pct=1) for number in range(len(GARBAGE))]
    produce(open_site, values)
    until(lambda: len(asyncio.run(open_site.windows())) == len(GARBAGE), "the neighbours' windows")

    by_offset = {int(headers["argus_offset"]): (headers, value) for headers, value in letters(open_site)}
    for number, (name, (original, reason)) in enumerate(GARBAGE.items()):
        headers, value = by_offset[2 + 2 * number]
        assert headers["argus_reason"].decode() == reason, name
        assert headers["argus_topic"].decode() == open_site.kafka.topic(METRICS.name)
        assert headers["argus_partition"] == b"0"
        assert headers["argus_service"] == b"ingest"
        assert headers["argus_detail"], name
        assert int(headers["argus_original_bytes"]) == len(original or b""), name
        assert value == (original or b"")[: 64 * 1024], name
    assert len(by_offset) == len(GARBAGE)
    assert replica.ready()
    assert replica.metric('argus_ingest_dead_letters_total{reason="too_large"}') == 1
    if Path("/proc").is_dir():
        assert resident_megabytes(replica) < 400
    assert replica.terminate() == 0


def test_a_flood_of_garbage_ends_the_process_loudly_and_nothing_past_it_is_committed(site: Site) -> None:
    replica = site.start_ingest()
    good = [sample("web1", second, cpu_idle_pct=1) for second in range(100)]
    asyncio.run(site.produce(good, partition=0))
    until(lambda: replica.metric("argus_ingest_records_total") == 100, "the good records")
    asyncio.run(site.produce([("x", b"garbage")] * 2000, partition=0))
    assert replica.process.wait(30) == 1
    log = replica.log.read_text()
    assert "records could not be read, more than the allowed 20 %" in log
    assert "DeadLetterFloodError" in log
    assert {headers["argus_reason"] for headers, _ in letters(site)} == {b"not_json"}
    assert len(letters(site)) >= 500
    assert committed(site) < 100 + 500


def committed(site: Site) -> int:
    """The group's offset on partition 0; 0 where there is none."""

    async def ask() -> int:
        admin = build_admin(site.kafka)
        await admin.start()
        offsets = await admin.list_consumer_group_offsets(site.kafka.topic_prefix + "ingest")
        await admin.close()
        return max((meta.offset for tp, meta in offsets.items() if tp.partition == 0), default=0)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("ARGUS_INGEST_STEP", "0.5", "ARGUS_INGEST_STEP"),
        ("ARGUS_INGEST_STEP", "10.5", "whole seconds"),
        ("ARGUS_INGEST_MAPPING_FILE", "absent.yaml", "absent.yaml"),
        ("ARGUS_INGEST_MAX_DEAD_LETTER_SHARE", "2", "ARGUS_INGEST_MAX_DEAD_LETTER_SHARE"),
    ],
)
def test_a_wrong_setting_ends_the_process_at_once_with_its_name(
    site: Site, variable: str, value: str, complaint: str
) -> None:
    environment = os.environ | {
        "ARGUS_KAFKA_BOOTSTRAP_SERVERS": site.kafka.bootstrap_servers,
        "ARGUS_OPS_PORT": str(free_port()),
        variable: value,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "argus_ingest"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert complaint in ended.stderr


async def test_the_service_runs_in_this_process_from_its_environment_until_it_is_told_to_stop(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        "ARGUS_KAFKA_BOOTSTRAP_SERVERS": site.kafka.bootstrap_servers,
        "ARGUS_KAFKA_TOPIC_PREFIX": site.kafka.topic_prefix,
        "ARGUS_REDIS_URL": site.redis.url,
        "ARGUS_REDIS_KEY_PREFIX": site.redis.key_prefix,
        "ARGUS_OPS_PORT": "0",
        "ARGUS_INGEST_GROUP": site.kafka.topic_prefix + "here",
        "ARGUS_INGEST_RING_STEPS": "288",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stop = asyncio.Event()
    running = asyncio.create_task(main(stop))
    await site.produce([sample("web1", second, cpu_idle_pct=1) for second in (0, 400)])
    deadline = time.monotonic() + 60
    while not await site.windows():
        assert not running.done()
        assert time.monotonic() < deadline
    stop.set()
    await running
    rings = await site.rings()
    assert list(rings) == ["default/web1"]
