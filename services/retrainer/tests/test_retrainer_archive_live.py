"""The archive as it is kept: a real process between a real Kafka and a real folder."""

import asyncio
import random
from pathlib import Path

import pytest
from argus_site import IngestProcess, Site, until
from group_members import evict
from inference_site import publish
from retrainer_site import STEP, archive_of, archived, launch_retrainer, start_retrainer, window

from argus_common.events import WindowClosed
from argus_common.topics import DEAD_LETTERS

SERVERS = [f"web{i:03d}" for i in range(30)]
STEPS = range(STEP, STEP + 60)


def closed(steps: range = STEPS, servers: list[str] = SERVERS) -> list[WindowClosed]:
    return [window(server, step) for step in steps for server in servers]


def who(place: Path) -> list[tuple[str, int]]:
    table = archived(place)
    return [(s, int(t.timestamp()) // 300) for s, t in table.select("server", "timestamp").iter_rows()]


def expected(steps: range = STEPS, servers: list[str] = SERVERS) -> list[tuple[str, int]]:
    return [(server, step) for server in servers for step in steps]


def committed(replica: IngestProcess) -> float:
    return replica.metric("argus_retrainer_archived_windows_total")


@pytest.fixture
def chance() -> random.Random:
    return random.Random(7)


def test_windows_are_in_the_archive_and_not_read_again_after_a_clean_stop(site: Site) -> None:
    first = start_retrainer(site, ARGUS_RETRAINER_ARCHIVE_EVERY="60")
    asyncio.run(publish(site, closed()))
    until(lambda: first.metric('argus_retrainer_lag_records{partition="0"}') == 0, "all to be read")
    assert first.terminate() == 0
    assert who(archive_of(site)) == expected()
    second = start_retrainer(site)
    asyncio.run(publish(site, closed(range(STEP + 60, STEP + 61))))
    until(lambda: committed(second) >= len(SERVERS), "the next step to be archived")
    assert committed(second) == len(SERVERS)


def test_kill_9_at_any_moment_neither_loses_nor_doubles_a_window(site: Site, chance: random.Random) -> None:
    every = {"ARGUS_RETRAINER_ARCHIVE_EVERY": "0.05", "ARGUS_RETRAINER_ARCHIVE_WINDOWS": "40"}
    for begin in range(0, 60, 12):
        replica = launch_retrainer(site, **every)
        asyncio.run(publish(site, closed(STEPS[begin : begin + 12])))
        seen = committed_or_none(replica)
        until(lambda r=replica, s=seen: committed_or_none(r) > s, "something to be archived")  # type: ignore[misc]
        for _ in range(chance.randrange(4)):
            committed_or_none(replica)
        replica.kill()
        asyncio.run(evict(site.kafka, site.kafka.topic_prefix + "retrainer"))
    start_retrainer(site, **every)
    until(lambda: who(archive_of(site)) == expected(), "every window to be in the archive once")


def committed_or_none(replica: IngestProcess) -> float:
    try:
        return committed(replica)
    except OSError:
        return 0.0


def test_a_second_replica_that_joins_in_the_middle_loses_and_doubles_nothing(site: Site) -> None:
    start_retrainer(site)
    asyncio.run(publish(site, closed(STEPS[:30])))
    start_retrainer(site)
    asyncio.run(publish(site, closed(STEPS[30:])))
    until(lambda: who(archive_of(site)) == expected(), "every window to be in the archive once")


def test_days_that_are_over_are_compacted_while_it_runs(site: Site) -> None:
    replica = start_retrainer(site, ARGUS_RETRAINER_TIDY_EVERY="0.2")
    steps = range(STEP + 280, STEP + 292)
    for step in steps:
        asyncio.run(publish(site, closed(range(step, step + 1))))
    until(lambda: who(archive_of(site)) == expected(steps), "every window to be in the archive")
    until(lambda: replica.metric("argus_retrainer_archive_compacted_days_total") > 0, "a day to be compacted")
    first_day = archive_of(site) / "step=300" / "fleet=default" / "date=2025-01-01"
    until(lambda: len(list(first_day.glob("*.parquet"))) == 1, "one file")
    assert who(archive_of(site)) == expected(steps)


def test_a_window_that_can_not_be_read_is_dead_lettered_and_its_neighbours_are_archived(site: Site) -> None:
    replica = start_retrainer(site)
    asyncio.run(publish(site, closed(STEPS[:1]), ("web001", b"{"), ("web001", b"")))
    asyncio.run(publish(site, closed(STEPS[1:2])))
    until(lambda: who(archive_of(site)) == expected(STEPS[:2]), "the others to be archived")
    reasons = sorted(headers["argus_reason"] for headers, _ in asyncio.run(site.records(DEAD_LETTERS.name)))
    assert reasons == [b"empty", b"not_json"]
    assert replica.metric('argus_retrainer_dead_letters_total{reason="empty"}') == 1
    assert replica.terminate() == 0
