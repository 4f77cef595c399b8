"""What `argus replay` puts on a real topic is the trace, in event-time order, complete."""

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from aiokafka import ConsumerRecord
from typer.testing import CliRunner

from argus_cli.batch_sender import BatchSender
from argus_cli.replay import Replay, replay, send
from argus_cli.trace_frame import Selection
from argus_cli.trace_records import Identity
from argus_cli.trace_stream import stream_trace, trace_of
from argus_common.clock import SystemClock
from argus_common.errors import ConfigurationError, TransientError
from argus_common.kafka import build_consumer, build_producer
from argus_common.kafka.provision import provision
from argus_common.settings import KafkaSettings
from argus_common.topics import METRICS, Topic
from argus_local import Stack
from argus_local.ports import free_ports

COMMAND = [
    sys.executable,
    "-c",
    "import typer; from argus_cli.replay import replay; app = typer.Typer(); app.command()(replay); app()",
]
NEW_YEAR = 1_735_689_600_000
SERVERS, STEPS = 40, 600


@pytest.fixture
def settings(bootstrap_servers: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=bootstrap_servers)


@pytest.fixture
async def topic(settings: KafkaSettings, unique_prefix: str) -> str:
    return await make_topic(settings, f"{unique_prefix}metrics")


async def make_topic(settings: KafkaSettings, name: str) -> str:
    await provision(settings, [Topic(name, "server", 5, timedelta(hours=1), "of a test")])
    return name


async def read_all(settings: KafkaSettings, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
    """Every record that is on the topic now, in offset order per partition."""
    async with build_consumer(settings, topic, group=None) as consumer:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        found: list[ConsumerRecord[bytes, bytes]] = []
        while len(found) < sum(ends.values()):
            batches = await consumer.getmany(timeout_ms=1000)
            found.extend(record for batch in batches.values() for record in batch)
    return found


def shuffled_trace(folder: Path) -> Path:
    """40 servers × 600 steps × 3 metrics in random row order, a tenth of the values missing, some NaN."""
    random = np.random.default_rng(7)
    count = SERVERS * STEPS
    values = random.normal(50, 20, (3, count)).astype(np.float32)
    missing = random.random((3, count)) < 0.1
    columns = {
        f"m{i}": pl.Series(values[i]).set(pl.Series(missing[i]), float("nan") if i == 2 else None) for i in range(3)
    }
    frame = pl.DataFrame(
        {
            "server": [f"srv{i % SERVERS:02d}" for i in range(count)],
            "timestamp": [NEW_YEAR + i // SERVERS * 300_000 for i in range(count)],
            **columns,
        }
    )
    file = folder / "trace.parquet"
    frame.sample(fraction=1.0, shuffle=True, seed=7).write_parquet(file)
    return file


def expected(file: Path) -> dict[str, list[tuple[int, dict[str, float]]]]:
    """What each server's records should hold, in order, read row by row from the file."""
    series: dict[str, list[tuple[int, dict[str, float]]]] = {}
    for row in pl.read_parquet(file).sort("timestamp").iter_rows(named=True):
        metrics = {name: row[name] for name in ("m0", "m1", "m2") if row[name] is not None and row[name] == row[name]}
        if metrics:
            series.setdefault(row["server"], []).append((row["timestamp"], metrics))
    return series


async def test_at_full_speed_the_topic_holds_the_trace_in_order_and_without_a_loss(
    settings: KafkaSettings, topic: str, tmp_path: Path
) -> None:
    file = shuffled_trace(tmp_path)
    what = Replay(
        stream_trace(file, Selection(), rows_together=5000), Identity("east", "database"), float("inf"), topic
    )
    played, interrupted = await send(what, settings, SystemClock())

    found: dict[str, list[tuple[int, dict[str, float]]]] = {}
    for record in await read_all(settings, topic):
        event = json.loads(record.value)
        assert (record.key, event["fleet"], event["profile"]) == (event["server"].encode(), "east", "database")
        metrics = {name: float(np.float32(value)) for name, value in event["metrics"].items()}
        found.setdefault(event["server"], []).append((event["timestamp"], metrics))
    wanted = expected(file)
    assert found == wanted
    assert not interrupted
    assert played.records == sum(len(series) for series in wanted.values()) > 23_900
    assert played.samples == sum(len(metrics) for series in wanted.values() for _, metrics in series)


async def test_keys_go_to_the_partitions_that_single_sends_choose(settings: KafkaSettings, topic: str) -> None:
    keys = [f"server-{i}".encode() for i in range(50)]
    async with build_producer(settings) as producer:
        sender = BatchSender(producer, topic)
        await sender.send(keys, keys)
        await sender.finish()
        singly = [await producer.send_and_wait(topic, key, key) for key in keys[:10]]
    found = {record.key: record.partition for record in await read_all(settings, topic)}
    assert len(found) == 50
    assert [found[key] for key in keys[:10]] == [place.partition for place in singly]


async def test_records_carry_the_time_they_were_sent_so_that_retention_keeps_an_old_trace(
    settings: KafkaSettings, topic: str
) -> None:
    before = SystemClock().now_ms()
    rows = pl.DataFrame({"server": ["a"], "timestamp": [1_000_000_000_000], "cpu": [1.0]})
    await send(Replay(trace_of(rows), Identity(), float("inf"), topic), settings, SystemClock())
    (record,) = await read_all(settings, topic)
    assert record.timestamp >= before
    assert json.loads(record.value)["timestamp"] == 1_000_000_000_000


async def test_the_metrics_topic_is_created_where_it_is_missing(private_stack: Stack) -> None:
    settings = KafkaSettings(bootstrap_servers=private_stack.bootstrap_servers)
    rows = pl.DataFrame({"server": ["replayed-once"], "timestamp": [NEW_YEAR], "cpu": [1.0]})
    await send(Replay(trace_of(rows), Identity(), float("inf")), settings, SystemClock())
    assert [record.key for record in await read_all(settings, METRICS.name)] == [b"replayed-once"]


async def test_a_broker_killed_in_the_middle_costs_no_record_and_doubles_none(
    private_stack: Stack, unique_prefix: str
) -> None:
    settings = KafkaSettings(bootstrap_servers=private_stack.bootstrap_servers)
    topic = await make_topic(settings, f"{unique_prefix}fault")
    count = 3000
    rows = pl.DataFrame(
        {
            "server": [f"s{i % 3}" for i in range(count)],
            "timestamp": [NEW_YEAR + 1000 * (i // 3) for i in range(count)],
            "number": list(range(count)),
        }
    )
    replaying = asyncio.create_task(send(Replay(trace_of(rows), Identity(), 200.0, topic), settings, SystemClock()))
    async with build_consumer(settings, topic, group=None) as consumer:
        await consumer.getone()  # it has begun
    await asyncio.to_thread(private_stack.kafka.kill)
    assert not replaying.done()
    await asyncio.to_thread(private_stack.kafka.start)
    played, _ = await replaying

    found = [(record.key, json.loads(record.value)["metrics"]["number"]) for record in await read_all(settings, topic)]
    assert played.records == len(found) == count
    for server in range(3):
        assert [number for key, number in found if key == b"s%d" % server] == list(range(server, count, 3))


async def test_an_unreachable_broker_is_named() -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    rows = pl.DataFrame({"server": ["a"], "timestamp": [NEW_YEAR], "cpu": [1.0]})
    with pytest.raises(TransientError, match=address):
        await send(
            Replay(trace_of(rows), Identity(), 1.0, "any"), KafkaSettings(bootstrap_servers=address), SystemClock()
        )


async def test_ctrl_c_stops_and_tells_what_was_sent(settings: KafkaSettings, topic: str, tmp_path: Path) -> None:
    file = tmp_path / "slow.csv"
    file.write_text("ts,host,cpu\n" + "".join(f"{1_735_689_600 + 300 * i},a,{i}\n" for i in range(1000)))
    renames = ["--rename", "ts=timestamp", "--rename", "host=server"]
    process = await asyncio.create_subprocess_exec(
        *[*COMMAND, str(file), "--speed", "3000x", "--topic", topic, *renames],
        env=os.environ | {"ARGUS_KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers},
        stderr=asyncio.subprocess.PIPE,
    )
    async with build_consumer(settings, topic, group=None) as consumer:
        await consumer.getone()  # it has begun
    process.send_signal(signal.SIGINT)
    _, said = await asyncio.wait_for(process.communicate(), timeout=30)

    values = [json.loads(record.value)["metrics"]["cpu"] for record in await read_all(settings, topic)]
    assert process.returncode == 130
    assert values == list(range(len(values)))
    assert 1 <= len(values) < 1000
    assert f"Stopped after {len(values)} records with {len(values)} samples" in said.decode()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--speed", "fast"], "--speed fast: expected a number above 0"),
        (["--speed", "0"], "--speed 0: expected a number above 0"),
        (["--rename", "cpu"], "--rename cpu: expected OLD=NEW"),
    ],
)
def test_a_wrong_option_is_explained(tmp_path: Path, option: list[str], message: str) -> None:
    file = tmp_path / "trace.csv"
    file.write_text("timestamp,server,cpu\n1735689600,a,1\n")
    app = typer.Typer()
    app.command()(replay)
    failed = CliRunner().invoke(app, [str(file), *option])
    assert isinstance(failed.exception, ConfigurationError)
    assert message in str(failed.exception)
