"""Inference as it runs: a real process between a real Kafka and a real Redis."""

import asyncio
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from argus_site import IngestProcess, Site, end, make_site, until
from inference_site import (
    STEP,
    TARGETS,
    environment,
    event,
    fill_rings,
    forecast_id,
    forecasts,
    launch_inference,
    publish,
    start_inference,
    wait_for_forecasts,
    windows,
)

from argus_common.topics import DEAD_LETTERS, PREDICTIONS
from argus_local import Stack

SERVERS = [f"web{i:03d}" for i in range(40)]
MANY = [f"web{i:03d}" for i in range(400)]
SLOWLY = {"ARGUS_INFERENCE_CHUNK_SERVERS": "1"}
"""A group of its own for each server, so that there is a middle to be killed in."""


@pytest.fixture
def site(bootstrap_servers: str, redis_url: str, unique_prefix: str, tmp_path: Path) -> Iterator[Site]:
    made = make_site(bootstrap_servers, redis_url, unique_prefix, tmp_path)
    yield made
    end(made)


@pytest.fixture
def private_site(private_stack: Stack, unique_prefix: str, tmp_path: Path) -> Iterator[Site]:
    """On servers of this module's own, to be stopped."""
    made = make_site(private_stack.bootstrap_servers, private_stack.redis_url, unique_prefix, tmp_path)
    yield made
    end(made)


def page(replica: IngestProcess) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{replica.port}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
    return text


def readiness(replica: IngestProcess) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{replica.port}/readyz", timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())
    except OSError:
        return "no answer"


def counted(replica: IngestProcess, name: str) -> float:
    return replica.metric(f"argus_inference_{name}")


def test_windows_become_forecasts_on_the_topic_and_on_the_metrics_page(site: Site) -> None:
    asyncio.run(fill_rings(site, SERVERS))
    replica = start_inference(site)
    asyncio.run(publish(site, windows(SERVERS)))
    found = wait_for_forecasts(site, [forecast_id(server) for server in SERVERS])
    assert set(found) == {forecast_id(server) for server in SERVERS}
    (value,) = found[forecast_id("web007")]
    told = event(value)
    assert told.id() == forecast_id("web007")
    assert (told.origin, told.model.kind, told.observed["mem_used_pct"]) == (STEP, "statistical", 40.0)
    assert set(told.quantiles) == set(TARGETS)
    assert all(len(leads) == 96 and all(len(lead) == 7 for lead in leads) for leads in told.quantiles.values())
    assert all(lead == sorted(lead) for leads in told.quantiles.values() for lead in leads)
    assert {breach.target for breach in told.breaches} == set(TARGETS)
    assert told.quality["mem_used_pct"].observed_share == 1.0
    until(lambda: counted(replica, "forecasts_total") == len(SERVERS), "all forecasts to be counted")
    text = page(replica)
    assert 'argus_forecast{fleet="default",server="web007",target="mem_used_pct",horizon_seconds="900"' in text
    assert 'argus_risk_score_ratio{fleet="default",server="web039"} ' in text
    assert 'argus_model_info{kind="statistical",name="analog"' in text
    assert counted(replica, "window_to_forecast_seconds_count") == len(SERVERS)
    until(lambda: 'argus_inference_lag_records{partition="2"} 0.0' in page(replica), "the lag to be told")
    assert replica.terminate() == 0


def test_a_forecast_is_scored_by_the_next_process_too(site: Site) -> None:
    asyncio.run(fill_rings(site, ["web001"], STEP + 1))
    first = start_inference(site)
    asyncio.run(publish(site, windows(["web001"])))
    wait_for_forecasts(site, [forecast_id("web001")])
    assert first.terminate() == 0
    start_inference(site)
    asyncio.run(publish(site, windows(["web001"], STEP + 1)))
    found = wait_for_forecasts(site, [forecast_id("web001", STEP + 1)])
    (value,) = found[forecast_id("web001", STEP + 1)]
    assert {(score.target, score.lead) for score in event(value).scores} == {(target, 1) for target in TARGETS}


def test_after_a_clean_stop_nothing_is_forecast_again(site: Site) -> None:
    first = start_inference(site)
    asyncio.run(publish(site, windows(SERVERS)))
    wait_for_forecasts(site, [forecast_id(server) for server in SERVERS])
    assert first.terminate() == 0
    second = start_inference(site)
    asyncio.run(publish(site, windows(["last"], STEP + 1)))
    wait_for_forecasts(site, [forecast_id("last", STEP + 1)])
    assert counted(second, "windows_total") == 1


def test_kill_9_in_the_middle_repeats_forecasts_under_the_same_ids_and_loses_none(site: Site) -> None:
    asyncio.run(fill_rings(site, MANY))
    first = start_inference(site, **SLOWLY)
    asyncio.run(publish(site, windows(MANY)))
    until(lambda: counted(first, "forecasts_total") >= 20, "the first forecasts")
    first.kill()
    before = forecasts(site)
    assert 20 <= len(before) < len(MANY)
    start_inference(site)
    found = wait_for_forecasts(site, [forecast_id(server) for server in MANY])
    assert len(found) == len(MANY)
    assert {ids: len(values) for ids, values in found.items() if len(values) > 1} == {}


def test_kill_9_while_bands_learn_teaches_no_step_twice(site: Site) -> None:
    asyncio.run(fill_rings(site, MANY, STEP + 1))
    first = start_inference(site, **SLOWLY)
    asyncio.run(publish(site, windows(MANY)))
    wait_for_forecasts(site, [forecast_id(server) for server in MANY])
    asyncio.run(publish(site, windows(MANY, STEP + 1, level=47.0)))
    until(lambda: counted(first, "forecasts_total") >= len(MANY) + 20, "the first forecasts that learned something")
    first.kill()
    start_inference(site)
    ids = [forecast_id(server, step) for server in MANY for step in (STEP, STEP + 1)]
    wait_for_forecasts(site, ids)
    until(lambda: len(asyncio.run(site.records(PREDICTIONS.name))) > len(ids), "forecasts to be told again")
    assert {name: len(values) for name, values in forecasts(site).items() if len(values) > 1} == {}


def test_a_second_replica_joining_in_the_middle_loses_no_forecast(site: Site) -> None:
    asyncio.run(fill_rings(site, MANY))
    first = start_inference(site, **SLOWLY)
    asyncio.run(publish(site, windows(MANY)))
    until(lambda: counted(first, "forecasts_total") >= 20, "the first forecasts")
    second = start_inference(site, **SLOWLY)
    wait_for_forecasts(site, [forecast_id(server) for server in MANY])
    asyncio.run(publish(site, windows(MANY[:60], STEP + 1)))
    found = wait_for_forecasts(site, [forecast_id(server, STEP + 1) for server in MANY[:60]])
    assert len(found) == len(MANY) + 60
    taken = counted(first, "windows_total") + counted(second, "windows_total")
    assert taken > len(found), "the rebalance should have come in the middle and repeated some"
    until(lambda: page(second).count("argus_risk_score_ratio{") > 0, "the second replica to show its servers")
    shown = [line for replica in (first, second) for line in page(replica).splitlines() if "risk_score_ratio{" in line]
    assert len(shown) == len({line.partition("} ")[0] for line in shown})
    assert (first.terminate(), second.terminate()) == (0, 0)


def test_an_unreadable_window_is_dead_lettered_and_its_neighbours_are_forecast(site: Site) -> None:
    replica = start_inference(site)
    garbage = [("web001", b"{"), ("web001", b""), ("web001", b'{"fleet": 1}'), ("web001", b"\xff" * 1000)]
    asyncio.run(publish(site, windows(["web001", "web002"]), *garbage, partition=0))
    asyncio.run(publish(site, windows(["web003"]), partition=0))
    wait_for_forecasts(site, [forecast_id(server) for server in ("web001", "web002", "web003")])
    letters = asyncio.run(site.records(DEAD_LETTERS.name))
    reasons = sorted((headers["argus_offset"], headers["argus_reason"]) for headers, _ in letters)
    assert reasons == [(b"2", b"not_json"), (b"3", b"empty"), (b"4", b"invalid_field"), (b"5", b"not_json")]
    assert replica.process.poll() is None


def test_a_flood_of_unreadable_windows_ends_the_process_loudly(site: Site) -> None:
    replica = start_inference(site)
    asyncio.run(publish(site, [], *[("web001", b"{")] * 600, partition=0))
    assert replica.process.wait(60) == 1
    assert "DeadLetterFloodError" in replica.log.read_text()


def test_after_an_outage_each_server_is_forecast_from_its_newest_window(site: Site) -> None:
    steps = range(STEP - 29, STEP + 1)
    asyncio.run(publish(site, [window for step in steps for window in windows(SERVERS, step)]))
    replica = start_inference(site)
    found = wait_for_forecasts(site, [forecast_id(server) for server in SERVERS])
    total = len(steps) * len(SERVERS)
    until(lambda: counted(replica, "windows_total") == total, "everything to be read")
    skipped = counted(replica, 'skipped_windows_total{reason="superseded"}')
    assert skipped + counted(replica, "forecasts_total") == total
    assert len(found) < total / 5


def test_redis_gone_for_ten_seconds_is_survived_and_told(private_stack: Stack, private_site: Site) -> None:
    replica = start_inference(private_site)
    private_stack.redis.kill()
    asyncio.run(publish(private_site, windows(SERVERS)))
    until(lambda: "redis: not ready" in readiness(replica), "readiness to tell of it")
    time.sleep(10)
    assert forecasts(private_site) == {}
    private_stack.redis.start()
    found = wait_for_forecasts(private_site, [forecast_id(server) for server in SERVERS])
    (value,) = found[forecast_id("web001")]
    assert event(value).quality["mem_used_pct"].warming_up
    until(replica.ready, "inference to be ready again")
    assert replica.terminate() == 0


def test_told_to_stop_while_redis_is_gone_it_stops_and_commits_nothing(
    private_stack: Stack, private_site: Site
) -> None:
    replica = start_inference(private_site)
    private_stack.redis.kill()
    asyncio.run(publish(private_site, windows(SERVERS)))
    until(lambda: "retrying" in replica.log.read_text(), "the first retry")
    assert replica.terminate() == 0
    private_stack.redis.start()
    start_inference(private_site)
    wait_for_forecasts(private_site, [forecast_id(server) for server in SERVERS])


def test_kafka_gone_for_ten_seconds_is_survived_and_told(private_stack: Stack, private_site: Site) -> None:
    replica = start_inference(private_site)
    asyncio.run(publish(private_site, windows(SERVERS)))
    wait_for_forecasts(private_site, [forecast_id(server) for server in SERVERS])
    private_stack.kafka.kill()
    until(lambda: "kafka: not ready" in readiness(replica), "readiness to tell of it")
    time.sleep(10)
    private_stack.kafka.start()
    asyncio.run(publish(private_site, windows(SERVERS, STEP + 1)))
    wait_for_forecasts(private_site, [forecast_id(server, STEP + 1) for server in SERVERS])
    assert replica.terminate() == 0


def test_inference_may_be_started_before_kafka(private_stack: Stack, private_site: Site) -> None:
    private_stack.kafka.kill()
    replica = launch_inference(private_site)
    until(lambda: "kafka: not ready" in readiness(replica), "the ops server to answer")
    private_stack.kafka.start()
    until(replica.ready, "inference to be ready")
    asyncio.run(publish(private_site, windows(SERVERS)))
    wait_for_forecasts(private_site, [forecast_id(server) for server in SERVERS])
    assert replica.terminate() == 0


def test_wrong_settings_end_at_the_start_with_what_to_change(site: Site) -> None:
    told = environment(site, ARGUS_INFERENCE_QUANTILE_LEVELS="[0.5]")
    done = subprocess.run(
        [sys.executable, "-m", "argus_inference"], env=told, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert (
        done.stderr
        == "configuration: settings: quantile_levels must rise between 0 and 1 and contain 0.1, 0.5 and 0.9\n"
    )
