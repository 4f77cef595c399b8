"""Cascade on the real Kafka and Redis: whatever dies in the middle, the topic tells the same."""

import asyncio
import json
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_client
from argus_site import Site, end, make_site, until
from cascade_site import (
    STEP,
    STEP_SECONDS,
    cascades,
    event_id,
    forecast,
    publish,
    start_cascade,
    step_of,
    wait_for_cascades,
)

from argus_common.events import ForecastIssued, MaintenanceScheduled, encode
from argus_common.kafka import build_producer
from argus_common.topics import COMMANDS, DEAD_LETTERS
from argus_local import Stack

SERVERS = [f"web{i}" for i in range(6)]
COURSE = [
    step_of(SERVERS, 0),
    step_of(SERVERS, 1, ["web0", "web1"]),
    step_of(SERVERS, 2, ["web0", "web1", "web2"]),
    step_of(SERVERS, 3, ["web0", "web1", "web2"]),
    step_of(SERVERS, 4, ["web2"]),
    step_of(SERVERS, 5),
    step_of(SERVERS, 6, ["web4", "web5"]),
]
TOLD = {event_id(1, sequence) for sequence in range(4)} | {event_id(6, 0)}


def feed(site: Site, *steps: int) -> None:
    for step in steps:
        asyncio.run(publish(site, COURSE[step]))


def test_forecasts_become_an_opened_an_updated_and_a_resolved_cascade(site: Site) -> None:
    replica = start_cascade(site)
    feed(site, *range(7))
    told = wait_for_cascades(site, TOLD)
    assert set(told) == TOLD
    assert all(len(values) == 1 for values in told.values())
    opened = json.loads(next(iter(told[event_id(1, 0)])))
    assert [member["server"] for member in opened["members"]] == ["web0", "web1"]
    resolved = json.loads(next(iter(told[event_id(1, 3)])))
    assert (resolved["outcome"], resolved["duration_seconds"]) == ("recovered", 4 * STEP_SECONDS)
    until(lambda: replica.metric('argus_cascade_events_total{kind="resolved"}') == 1, "the metrics")
    assert replica.metric('argus_cascade_fleet_health{fleet="default"}') == pytest.approx(100 * 4 / 6)
    assert replica.metric('argus_cascade_open{fleet="default",severity="warning"}') == 1
    assert replica.metric('argus_cascade_watched_servers{fleet="default"}') == 6
    assert replica.metric('argus_cascade_foretold_followers{fleet="default",outcome="confirmed"}') == 3
    assert replica.metric('argus_cascade_foretold_followers_brier_ratio{fleet="default"}') == 0.125
    assert replica.metric("argus_cascade_late_forecasts_total") == 0
    assert replica.terminate() == 0


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


def test_kill_9_in_the_middle_of_steps_neither_loses_nor_doubles_an_event(sites: list[Site]) -> None:
    calm, killed = sites
    start_cascade(calm)
    feed(calm, *range(7))
    undisturbed = wait_for_cascades(calm, TOLD)
    replica = start_cascade(killed)
    feed(killed, 0, 1)
    wait_for_cascades(killed, [event_id(1, 0)])
    asyncio.run(publish(killed, COURSE[2][:3]))
    until(lambda: replica.metric("argus_cascade_forecasts_total") == 15, "half a step to be read")
    replica.kill()
    asyncio.run(publish(killed, COURSE[2][3:]))
    replica = start_cascade(killed)
    wait_for_cascades(killed, [event_id(1, 1)])
    feed(killed, 3, 4)
    replica.kill()  # wherever it is just now
    feed(killed, 5)
    replica = start_cascade(killed)
    feed(killed, 6)
    assert wait_for_cascades(killed, TOLD) == undisturbed
    assert set(undisturbed) == TOLD
    assert all(len(values) == 1 for values in undisturbed.values())


def test_a_forecast_that_comes_again_counts_once_and_one_that_is_late_is_counted(site: Site) -> None:
    replica = start_cascade(site)
    feed(site, 0, 0, 1, 1)
    until(lambda: replica.metric("argus_cascade_repeated_forecasts_total") == 12, "the repeats")
    feed(site, 2)
    wait_for_cascades(site, [event_id(1, 1)])
    asyncio.run(publish(site, [forecast("new", STEP + 1)]))
    until(lambda: replica.metric("argus_cascade_late_forecasts_total") == 1, "the late one")
    assert set(cascades(site)) == {event_id(1, 0), event_id(1, 1)}


def test_garbage_is_a_dead_letter_and_its_neighbours_are_read(site: Site) -> None:
    replica = start_cascade(site)
    feed(site, 0)
    far = encode(forecast("web0", STEP + 10**7), "/argus/inference").value
    asyncio.run(publish(site, COURSE[1], ("default", b"{"), ("default", b'{"fleet": 1}'), ("default", far)))
    wait_for_cascades(site, [event_id(1, 0)])

    def reasons() -> list[bytes]:
        return sorted(headers["argus_reason"] for headers, _ in asyncio.run(site.records(DEAD_LETTERS.name)))

    until(lambda: reasons() == [b"future", b"invalid_field", b"not_json"], "three dead letters")
    assert replica.metric('argus_cascade_dead_letters_total{reason="not_json"}') == 1


async def schedule(site: Site, command: MaintenanceScheduled) -> None:
    producer, record = build_producer(site.kafka), encode(command, "/argus/cli")
    await producer.start()
    try:
        topic = site.kafka.topic(COMMANDS.name)
        await producer.send_and_wait(topic, record.value, record.key, headers=list(record.headers))
        await producer.send_and_wait(topic, b"{", record.key, headers=list(record.headers))
    finally:
        await producer.stop()


def test_a_maintenance_silences_a_cascade_that_still_resolves(site: Site) -> None:
    begin, finish = ((STEP + n) * STEP_SECONDS * 1000 for n in (3, 6))
    asyncio.run(schedule(site, MaintenanceScheduled(fleet="default", start_ms=begin, end_ms=finish)))
    replica = start_cascade(site)
    assert replica.metric("argus_cascade_unreadable_commands_total") == 1
    feed(site, *range(6))
    told = wait_for_cascades(site, [event_id(1, sequence) for sequence in range(4)])
    silenced = [json.loads(next(iter(told[event_id(1, n)])))["silenced"] for n in range(4)]
    assert silenced == [False, True, True, False]


def test_when_redis_was_emptied_cascade_goes_on_and_writes_all_that_it_knows(site: Site, redis_url: str) -> None:
    replica = start_cascade(site)
    feed(site, 0, 1)
    wait_for_cascades(site, [event_id(1, 0)])
    with redis_client.Redis.from_url(redis_url) as client:
        client.flushdb()
    feed(site, 2)
    wait_for_cascades(site, [event_id(1, 1)])
    until(lambda: "Redis was emptied" in replica.log.read_text(), "the warning")
    replica.kill()
    start_cascade(site)
    feed(site, 3, 4)
    assert set(wait_for_cascades(site, [event_id(1, 2)])) == {event_id(1, n) for n in range(3)}


def test_when_redis_was_emptied_and_the_process_died_too_cascade_learns_anew_and_says_so(
    site: Site, redis_url: str
) -> None:
    replica = start_cascade(site)
    feed(site, 0)
    until(lambda: replica.metric('argus_cascade_ticks_total{cause="settled"}') == 1, "the first step")
    assert replica.terminate() == 0  # so that it has committed
    with redis_client.Redis.from_url(redis_url) as client:
        client.flushdb()
    replica = start_cascade(site)
    until(lambda: "Redis has lost what was known" in replica.log.read_text(), "the warning")
    feed(site, 1)
    wait_for_cascades(site, [event_id(1, 0)])


def test_two_replicas_share_the_fleets_and_one_takes_over_from_the_other(site: Site) -> None:
    fleets = [f"fleet{i}" for i in range(6)]

    def feed_all(step: int, unwell: list[str]) -> None:
        issued = [forecast(s, STEP + step, 70.0 if s in unwell else 5.0, fleet) for fleet in fleets for s in SERVERS]
        asyncio.run(publish(site, issued))

    replicas = [start_cascade(site), start_cascade(site)]

    def watched(n: int) -> int:
        return sum(replicas[n].metric(f'argus_cascade_watched_servers{{fleet="{fleet}"}}') == 6 for fleet in fleets)

    feed_all(0, [])
    until(lambda: watched(0) + watched(1) == 6 and watched(0) > 0 and watched(1) > 0, "both to have fleets")
    feed_all(1, ["web0", "web1"])
    wait_for_cascades(site, [event_id(1, 0, fleet) for fleet in fleets])
    replicas[0].kill()
    feed_all(2, ["web0", "web1", "web2"])
    told = wait_for_cascades(site, [event_id(1, 1, fleet) for fleet in fleets])
    assert set(told) == {event_id(1, n, fleet) for fleet in fleets for n in (0, 1)}
    assert all(len(values) == 1 for values in told.values())
    until(lambda: watched(1) == 6, "all fleets at the one that is left")


def test_a_replica_that_was_frozen_while_its_fleet_went_to_another_says_nothing_of_its_own(site: Site) -> None:
    frozen = start_cascade(site)
    feed(site, 0, 1)
    wait_for_cascades(site, [event_id(1, 0)])
    frozen.process.send_signal(signal.SIGSTOP)
    start_cascade(site)
    feed(site, 2)
    wait_for_cascades(site, [event_id(1, 1)])
    frozen.process.send_signal(signal.SIGCONT)
    until(frozen.ready, "the frozen one to be back")
    feed(site, 3, 4, 5)
    told = wait_for_cascades(site, [event_id(1, n) for n in range(4)])
    assert set(told) == {event_id(1, n) for n in range(4)}
    assert all(len(values) == 1 for values in told.values())


@pytest.fixture
def private_site(private_stack: Stack, unique_prefix: str, tmp_path: Path) -> Iterator[Site]:
    """On servers of its own, which may be killed."""
    made = make_site(private_stack.bootstrap_servers, private_stack.redis_url, unique_prefix, tmp_path)
    yield made
    end(made)


def test_redis_gone_for_a_while_is_survived_and_told(private_stack: Stack, private_site: Site) -> None:
    replica = start_cascade(private_site)
    feed(private_site, 0, 1)
    wait_for_cascades(private_site, [event_id(1, 0)])
    private_stack.redis.kill()
    until(lambda: "redis: not ready" in replica.readiness(), "the outage to be told")
    feed(private_site, 2)
    until(lambda: "redis: waiting" in replica.readiness(), "the step to wait for Redis")
    assert set(cascades(private_site)) == {event_id(1, 0)}
    private_stack.redis.start()
    told = wait_for_cascades(private_site, [event_id(1, 1)])
    assert set(told) == {event_id(1, 0), event_id(1, 1)}
    until(replica.ready, "readiness")


def test_told_to_stop_while_redis_is_gone_it_stops_and_the_next_one_goes_on(
    private_stack: Stack, private_site: Site
) -> None:
    replica = start_cascade(private_site)
    feed(private_site, 0, 1)
    wait_for_cascades(private_site, [event_id(1, 0)])
    private_stack.redis.kill()
    feed(private_site, 2)
    until(lambda: "retrying" in replica.log.read_text(), "the first retry")
    assert replica.terminate() == 0
    private_stack.redis.start()
    start_cascade(private_site)
    assert set(wait_for_cascades(private_site, [event_id(1, 1)])) == {event_id(1, 0), event_id(1, 1)}


def test_a_failure_that_travels_is_told_by_the_detector_that_is_served(site: Site) -> None:
    """Thirty servers of chance forecasts for two days; then one after the other leaves its band for good."""
    numbers, servers = random.Random(7), [f"web{i:02d}" for i in range(30)]

    def step_at(step: int, ill: set[str]) -> list[ForecastIssued]:
        pits = {server: 0.9999 if server in ill else None for server in servers}
        return [forecast(server, STEP + step, pit=pit, numbers=numbers) for server, pit in pits.items()]

    replica = start_cascade(site, real=True)
    asyncio.run(publish(site, [one for step in range(96) for one in step_at(step, set())]))
    ill = [servers[: min(k, 3)] for k in range(1, 9)]
    for k, names in enumerate(ill):
        asyncio.run(publish(site, step_at(96 + k, set(names))))
    until(lambda: len(cascades(site)) > 0, f"a cascade, see {replica.log}")
    opened = json.loads(next(iter(min(cascades(site).items())[1])))
    assert {member["server"] for member in opened["members"]} <= set(servers[:3])
    assert len(opened["members"]) >= 2
    assert opened["step"] >= STEP + 97
    assert opened["message"]
    assert opened["look_first"].startswith(tuple(servers[:3]))
