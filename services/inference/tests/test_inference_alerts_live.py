"""Alerts on the real Kafka and Redis: whatever dies in the middle, the topic tells the same."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from argus_site import IngestProcess, Site, end, make_site, until
from inference_site import (
    STEP,
    TARGETS,
    forecast_id,
    publish,
    start_inference,
    wait_for_forecasts,
    windows,
)

from argus_common.events import BreachMitigated, encode
from argus_common.kafka import build_producer
from argus_common.topics import ALERTS, COMMANDS, DEAD_LETTERS

SERVERS = [f"web{i:03d}" for i in range(12)]
SLOWLY = {"ARGUS_INFERENCE_CHUNK_SERVERS": "1"}
"""A group of its own for each server, so that there is a middle to be killed in."""
COURSE = {0: 96.0, 1: 96.0, 2: 96.0, 3: 10.0, 14: 10.0}
"""Step → level: beyond every limit for a quarter of an hour, then calm for an hour."""

Told = dict[str, set[bytes]]
"""Event id → the values told under it."""


@pytest.fixture
def sites(bootstrap_servers: str, redis_url: str, unique_prefix: str, tmp_path: Path) -> Iterator[list[Site]]:
    """Two sites that know nothing of each other."""
    made = []
    for name in ("calm", "killed"):
        (tmp_path / name).mkdir()
        made.append(make_site(bootstrap_servers, redis_url, f"{unique_prefix}{name}-", tmp_path / name))
    yield made
    for site in made:
        end(site)


def alerts(site: Site) -> Told:
    found: Told = {}
    for headers, value in asyncio.run(site.records(ALERTS.name)):
        found.setdefault(headers["ce_id"].decode(), set()).add(value)
    return found


def forecast(site: Site, step: int) -> None:
    """Have every server forecast from this step of the course."""
    asyncio.run(publish(site, windows(SERVERS, STEP + step, COURSE[step])))
    wait_for_forecasts(site, [forecast_id(server, STEP + step) for server in SERVERS])


def counted(replica: IngestProcess, name: str, **labels: str) -> float:
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return replica.metric(f"argus_inference_{name}{{{inside}}}")


def told_all(site: Site, wanted: int) -> Told:
    found: Told = {}

    def there() -> bool:
        found.update(alerts(site))
        return len(found) >= wanted

    until(there, f"{wanted} events of alerts")
    return found


def kinds(told: Told) -> set[str]:
    return {identity.rsplit("/", 1)[1] for identity in told}


def test_kill_9_while_alerts_are_raised_and_while_they_end_changes_nothing_that_is_told(sites: list[Site]) -> None:
    calm, killed = sites
    start_inference(calm)
    for step in COURSE:
        forecast(calm, step)
    expected = len(SERVERS) * len(TARGETS) * 2
    undisturbed = told_all(calm, expected)
    replica = start_inference(killed, **SLOWLY)
    for step in (0, 1):
        forecast(killed, step)
    asyncio.run(publish(killed, windows(SERVERS, STEP + 2, COURSE[2])))
    until(lambda: counted(replica, "alerts_raised_total", target="mem_used_pct") >= 3, "the first alerts")
    replica.kill()
    assert 0 < len(alerts(killed)) < expected / 2
    replica = start_inference(killed, **SLOWLY)
    wait_for_forecasts(killed, [forecast_id(server, STEP + 2) for server in SERVERS])
    forecast(killed, 3)
    asyncio.run(publish(killed, windows(SERVERS, STEP + 14, COURSE[14])))
    until(lambda: counted(replica, "alerts_ended_total", target="mem_used_pct", outcome="late") >= 3, "the first ends")
    replica.kill()
    start_inference(killed)
    wait_for_forecasts(killed, [forecast_id(server, STEP + 14) for server in SERVERS])
    assert told_all(killed, expected) == undisturbed
    assert all(len(values) == 1 for values in undisturbed.values())
    assert len(undisturbed) >= expected
    assert kinds(undisturbed) >= {"0", "1"}


async def command(site: Site, *values: tuple[str, bytes]) -> None:
    """Tell inference something, as a person does."""
    producer = build_producer(site.kafka)
    await producer.start()
    try:
        for key, value in values:
            kind = [("ce_type", BreachMitigated.type.encode())]
            await producer.send_and_wait(site.kafka.topic(COMMANDS.name), value, key.encode(), headers=kind)
    finally:
        await producer.stop()


def test_what_people_tell_is_heard_by_a_process_that_starts_later_too(sites: list[Site]) -> None:
    site, _ = sites
    first = start_inference(site)
    for step in (0, 1, 2):
        forecast(site, step)
    told_all(site, len(SERVERS) * len(TARGETS))
    assert first.terminate() == 0
    standing = [identity.rsplit("/", 1)[0] for identity in alerts(site) if identity.startswith("default/web003/mem")]
    acted = encode(BreachMitigated(alert=standing[0], requested_ms=0), "/argus/test")
    asyncio.run(command(site, ("inference", acted.value), ("simulator", b"?"), ("inference", b"{")))
    second = start_inference(site)
    until(lambda: second.metric("argus_inference_unreadable_commands_total") == 1, "the commands to be heard")
    letters = asyncio.run(site.records(DEAD_LETTERS.name))
    assert [headers["argus_reason"] for headers, _ in letters] == [b"not_json"]
    asyncio.run(publish(site, windows(["web003", "web004"], STEP + 3, 96.0)))
    wait_for_forecasts(site, [forecast_id(server, STEP + 3) for server in ("web003", "web004")])
    ended = f"{standing[0]}/1"
    until(lambda: ended in alerts(site), "the alert to end")
    assert not any(identity.startswith("default/web004") for identity in set(alerts(site)) if identity.endswith("/1"))
