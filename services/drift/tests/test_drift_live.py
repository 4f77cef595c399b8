"""Drift on the real Kafka and Redis: whatever dies in the middle, the topic tells the same."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from argus_site import IngestProcess, Site, end, make_site, until
from cascade_site import publish
from drift_site import FIRST, HOUR, SERVERS, STEP_SECONDS, course, drifts, start_drift

WEEK = 168
CHANGED = WEEK + 30
HOURS = CHANGED + 30
SEEN = 'argus_drift_last_step_timestamp_seconds{fleet="default"}'


def feed(site: Site, begin: int, end_hour: int, changes: tuple[int, int]) -> None:
    per_hour = HOUR * len(SERVERS)
    told = list(course(HOURS, changes))[begin * per_hour : end_hour * per_hour]
    asyncio.run(publish(site, told))


def wait_for_hour(replica: IngestProcess, hour: int) -> None:
    seconds = (FIRST + hour * HOUR) * STEP_SECONDS
    until(lambda: replica.metric(SEEN) == seconds, f"hour {hour}")


def test_a_change_for_good_is_a_drift_of_the_profile_within_a_day(site: Site) -> None:
    replica = start_drift(site)
    feed(site, 0, HOURS, (CHANGED, HOURS))
    wait_for_hour(replica, HOURS)
    until(lambda: replica.metric('argus_drift_open{fleet="default",scope="profile"}') == 1, "the drift")
    told = [json.loads(values[0]) for values in drifts(site).values()]
    detected = next(one for one in told if one["sequence"] == 0)
    assert (detected["scope"], detected["profile"]) == ("profile", "web")
    assert (detected["detected"] + 1 - FIRST) / HOUR - CHANGED <= 24
    assert replica.metric('argus_drift_events_total{type="detected"}') == 1
    assert replica.terminate() == 0


def test_an_incident_of_four_hours_is_not_told_of(site: Site) -> None:
    replica = start_drift(site)
    feed(site, 0, HOURS, (CHANGED, CHANGED + 4))
    wait_for_hour(replica, HOURS)
    assert replica.metric('argus_drift_servers{fleet="default",state="watched"}') == len(SERVERS)
    assert drifts(site) == {}


@pytest.fixture
def sites(bootstrap_servers: str, redis_url: str, unique_prefix: str, tmp_path: Path) -> Iterator[list[Site]]:
    """Two sites that know nothing of each other."""
    made = []
    for name in ("calm", "killed"):
        (tmp_path / name).mkdir()
        made.append(make_site(bootstrap_servers, redis_url, f"{unique_prefix}{name}-", tmp_path / name))
    yield made
    for one in made:
        end(one)


def test_kill_9_neither_loses_nor_doubles_an_event(sites: list[Site]) -> None:
    calm, killed = sites
    replica = start_drift(calm)
    feed(calm, 0, HOURS, (CHANGED, HOURS))
    wait_for_hour(replica, HOURS)
    until(lambda: bool(drifts(calm)), "the drift")
    replica = start_drift(killed)
    feed(killed, 0, WEEK + 20, (CHANGED, HOURS))
    wait_for_hour(replica, WEEK + 20)
    replica.kill()
    replica = start_drift(killed)
    feed(killed, WEEK + 20, CHANGED + 12, (CHANGED, HOURS))
    replica.kill()  # wherever it is just now
    replica = start_drift(killed)
    feed(killed, CHANGED + 12, HOURS, (CHANGED, HOURS))
    wait_for_hour(replica, HOURS)
    until(lambda: drifts(killed).keys() >= drifts(calm).keys(), "the same events")
    assert drifts(killed) == drifts(calm)
    assert all(len(values) == 1 for values in drifts(calm).values())


def test_garbage_is_a_dead_letter_and_its_neighbours_are_read(site: Site) -> None:
    replica = start_drift(site)
    asyncio.run(publish(site, list(course(2))[:20], ("default", b"{"), ("default", b'{"fleet": 1}')))
    until(lambda: replica.metric('argus_drift_dead_letters_total{reason="not_json"}') == 1, "the letter")
    until(lambda: replica.metric('argus_drift_dead_letters_total{reason="invalid_field"}') == 1, "the letter")
    wait_for_hour(replica, 2)
