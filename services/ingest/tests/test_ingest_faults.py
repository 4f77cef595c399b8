"""Whatever dies in the middle, windows and rings end as if nothing had happened, byte for byte."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from argus_site import Site, end, make_site, sample, until

from argus_common.topics import DEAD_LETTERS
from argus_local import Stack

SERVERS = 24
STEPS = 6
STEP_SECONDS = 300
INTERVAL_SECONDS = 30
PATIENT = {"ARGUS_INGEST_IDLE_TIMEOUT": "600"}
"""Only event time closes steps here, so that what a test pauses for does not show in the windows."""

Records = list[tuple[str, bytes]]
NewSite = Callable[[str], Site]
Outcome = tuple[list[bytes], dict[str, bytes]]


@dataclass(frozen=True)
class Stream:
    """A recorded stream and the tools that the conftest of this folder offers."""

    records: Records
    windows: int


def make_stream() -> Stream:
    """A fleet's samples, some twice, some a little out of order; a last sample per server closes the steps."""
    chance = random.Random(7)
    timed = []
    for server in range(SERVERS):
        for tick in range(0, STEPS * STEP_SECONDS, INTERVAL_SECONDS):
            values = {
                "cpu_idle_pct": round(chance.uniform(0, 100), 3),
                "mem_used_pct": round(chance.uniform(0, 100), 3),
            }
            record = sample(f"web{server:03d}", tick, **values)
            timed += [(tick + chance.uniform(0, 50), record)] * (2 if chance.random() < 0.1 else 1)
        closing = STEPS * STEP_SECONDS + 60
        timed.append((closing + chance.uniform(0, 5), sample(f"web{server:03d}", closing, cpu_idle_pct=1.0)))
    return Stream([record for _, record in sorted(timed, key=lambda pair: pair[0])], SERVERS * STEPS)


@pytest.fixture(scope="module")
def stream() -> Stream:
    return make_stream()


@pytest.fixture
def new_site(private_stack: Stack, unique_prefix: str, tmp_path: Path) -> Iterator[NewSite]:
    """Makes sites on this module's own servers and ends their processes."""
    sites: list[Site] = []

    def make(name: str) -> Site:
        folder = tmp_path / name
        folder.mkdir()
        servers = private_stack.bootstrap_servers, private_stack.redis_url
        sites.append(make_site(*servers, unique_prefix + name, folder))
        return sites[-1]

    yield make
    for site in sites:
        end(site)


@pytest.fixture(scope="module")
def undisturbed(private_stack: Stack, stream: Stream, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """(windows, rings) of a run in which nothing happens."""
    site = make_site(private_stack.bootstrap_servers, private_stack.redis_url, "calm-", tmp_path_factory.mktemp("calm"))
    replica = site.start_ingest(**PATIENT)
    asyncio.run(site.produce(stream.records))
    wait_for_windows(site, stream.windows)
    assert replica.terminate() == 0
    return asyncio.run(site.windows()), asyncio.run(site.rings())


def wait_for_windows(site: Site, count: int, seconds: float = 90.0) -> None:
    """Until so many distinct windows are on the topic."""
    end = time.monotonic() + seconds
    while (found := len(asyncio.run(site.windows()))) < count:
        logs = "\n".join(replica.log.read_text()[-1500:] for replica in site.running)
        assert time.monotonic() < end, f"{found} of {count} windows after {seconds} s; ingest says:\n{logs}"
        time.sleep(0.3)


def assert_same(site: Site, undisturbed: Outcome) -> None:
    """Windows and rings equal those of the calm run, and nothing was dead-lettered on the way."""
    windows, rings = undisturbed
    assert asyncio.run(site.windows()) == windows
    assert asyncio.run(site.rings()) == rings
    assert asyncio.run(site.records(DEAD_LETTERS.name)) == []


def test_the_undisturbed_run_has_every_window_with_every_distinct_sample(undisturbed: Outcome, stream: Stream) -> None:
    windows, rings = undisturbed
    assert len(windows) == stream.windows
    assert all(b'"samples":10,' in window for window in windows)
    assert len(rings) == SERVERS


def test_kill_9_in_the_middle_of_a_step_changes_nothing(
    new_site: NewSite, stream: Stream, undisturbed: Outcome
) -> None:
    site = new_site("kill-")
    first = site.start_ingest(**PATIENT)
    half = len(stream.records) * 11 // 24
    asyncio.run(site.produce(stream.records[:half]))
    wait_for_windows(site, SERVERS * 2)
    first.kill()
    site.start_ingest(**PATIENT)
    asyncio.run(site.produce(stream.records[half:]))
    wait_for_windows(site, stream.windows)
    assert_same(site, undisturbed)


def test_kill_9_of_a_second_replica_during_a_rebalance_changes_nothing(
    new_site: NewSite, stream: Stream, undisturbed: Outcome
) -> None:
    site = new_site("rebalance-")
    site.start_ingest(**PATIENT)
    third = len(stream.records) // 3
    asyncio.run(site.produce(stream.records[:third]))
    second = site.start_ingest(**PATIENT)
    asyncio.run(site.produce(stream.records[third : 2 * third]))
    second.kill()
    asyncio.run(site.produce(stream.records[2 * third :]))
    wait_for_windows(site, stream.windows)
    assert_same(site, undisturbed)


def test_kafka_gone_for_ten_seconds_changes_nothing(
    private_stack: Stack,
    new_site: NewSite,
    stream: Stream,
    undisturbed: Outcome,
) -> None:
    site = new_site("kafka-")
    replica = site.start_ingest(ARGUS_INGEST_IDLE_TIMEOUT="6")
    half = len(stream.records) // 2
    asyncio.run(site.produce(stream.records[:half]))
    wait_for_windows(site, SERVERS * 2)
    private_stack.kafka.kill()
    until(lambda: "kafka" in replica.readiness(), "ingest to miss Kafka")
    time.sleep(10)
    private_stack.kafka.start()
    asyncio.run(site.produce(stream.records[half:]))
    wait_for_windows(site, stream.windows)
    until(replica.ready, "ingest to be ready again")
    assert replica.process.poll() is None
    assert set(undisturbed[0]) <= set(asyncio.run(site.windows()))
    assert asyncio.run(site.records(DEAD_LETTERS.name)) == []


def test_redis_restarted_empty_is_noticed_and_the_rings_are_rebuilt(
    private_stack: Stack,
    new_site: NewSite,
    stream: Stream,
    undisturbed: Outcome,
) -> None:
    site = new_site("redis-")
    replica = site.start_ingest(**PATIENT)
    half = len(stream.records) // 2
    asyncio.run(site.produce(stream.records[:half]))
    wait_for_windows(site, SERVERS * 2)
    private_stack.redis.kill()
    private_stack.redis.start()
    asyncio.run(site.produce(stream.records[half:]))
    wait_for_windows(site, stream.windows)
    assert_same(site, undisturbed)
    assert replica.metric("argus_ingest_rebuilt_rows_total") > 0


def test_redis_suspended_makes_ingest_unready_until_it_goes_on_and_changes_nothing(
    private_stack: Stack, new_site: NewSite, stream: Stream, undisturbed: Outcome
) -> None:
    site = new_site("suspended-")
    replica = site.start_ingest(**PATIENT)
    half = len(stream.records) // 2
    asyncio.run(site.produce(stream.records[:half]))
    wait_for_windows(site, SERVERS * 2)
    private_stack.redis.suspend()
    asyncio.run(site.produce(stream.records[half:]))
    until(lambda: replica.readiness().startswith("redis: waiting for "), "ingest to miss Redis")
    private_stack.redis.resume()
    wait_for_windows(site, stream.windows)
    until(replica.ready, "ingest to be ready again")
    assert_same(site, undisturbed)


def test_redis_gone_for_ten_seconds_and_ingest_killed_meanwhile_changes_nothing(
    private_stack: Stack,
    new_site: NewSite,
    stream: Stream,
    undisturbed: Outcome,
) -> None:
    site = new_site("both-")
    replica = site.start_ingest(**PATIENT)
    half = len(stream.records) // 2
    asyncio.run(site.produce(stream.records[:half]))
    wait_for_windows(site, SERVERS * 2)
    private_stack.redis.kill()
    asyncio.run(site.produce(stream.records[half : half + 100]))
    until(lambda: replica.readiness().startswith("redis: waiting for "), "ingest to miss Redis")
    time.sleep(5)
    replica.kill()
    private_stack.redis.start()
    site.start_ingest(**PATIENT)
    asyncio.run(site.produce(stream.records[half + 100 :]))
    wait_for_windows(site, stream.windows)
    assert_same(site, undisturbed)
