"""Simulations into a real broker, and requests from it."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argus_site import Site

from argus_common.errors import TransientError
from argus_common.events import Record, ScenarioRequested, encode
from argus_common.kafka.outbox import Outbox
from argus_common.settings import KafkaSettings
from argus_common.topics import COMMANDS, METRICS, SIMULATION
from argus_simulator.app import produce, write
from argus_simulator.domain.scenarios import Scenario
from argus_simulator.domain.simulation import Tick
from argus_simulator.domain.truth import FaultTruth
from argus_simulator.settings import SimulatorSettings

MINUTE = SimulatorSettings(
    servers=20,
    seed=1,
    duration=timedelta(minutes=1),
    speed=0,
    start=datetime(2025, 1, 1, tzinfo=UTC),
    scenario=Scenario.CASCADE,
)


def silent(_records: int, _samples: int, _tick: Tick) -> None:
    """Report to nobody."""


async def test_samples_and_truth_reach_their_topics_as_they_would_reach_files(site: Site) -> None:
    files = MINUTE.model_copy(update={"truth": site.folder / "truth.ndjson"})
    await write(files, site.folder / "fleet.ndjson", asyncio.Event(), silent)
    await produce(MINUTE, site.kafka, asyncio.Event(), silent)
    samples = [value for _, value in await site.records(METRICS.name)]
    assert sorted(samples) == sorted((site.folder / "fleet.ndjson").read_bytes().splitlines())
    assert len(samples) == 6 * 20
    truth = [value for _, value in await site.records(SIMULATION.name)]
    assert truth == (site.folder / "truth.ndjson").read_bytes().splitlines()
    assert {json.loads(line)["kind"] for line in truth} >= {"upstream_failure", "dependency_failure"}


async def test_truth_goes_to_a_file_in_place_of_the_topic_where_one_is_given(site: Site, tmp_path: Path) -> None:
    await produce(MINUTE.model_copy(update={"truth": tmp_path / "truth.ndjson"}), site.kafka, asyncio.Event(), silent)
    assert b"upstream_failure" in (tmp_path / "truth.ndjson").read_bytes()
    assert await site.records(SIMULATION.name) == []


async def ask_for(scenario: str, outbox: Outbox) -> None:
    """Request a scenario, after something that is no request."""
    event = ScenarioRequested.model_validate({"scenario": scenario, "requested_ms": time.time_ns() // 1_000_000})
    request = encode(event, "/argus/test")
    noise = Record(b"simulator", b"{}", [])
    await outbox.send(COMMANDS.name, [noise, Record(request.key, request.value, request.headers)])


async def test_a_running_simulator_switches_when_it_is_asked_to(site: Site) -> None:
    stop, began = asyncio.Event(), asyncio.Event()

    def watch(_records: int, _samples: int, tick: Tick) -> None:
        if any(isinstance(truth, FaultTruth) and truth.kind == "upstream_failure" for truth in tick.truth):
            began.set()

    settings = MINUTE.model_copy(update={"scenario": Scenario.HEALTHY, "duration": None, "speed": 100.0})
    outbox = Outbox(site.kafka, "argus-test")
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(produce(settings, site.kafka, stop, watch))
        await outbox.start()
        while not began.is_set():
            await ask_for("cascade", outbox)
            await asyncio.sleep(0.2)
        stop.set()
    await outbox.stop()


async def test_a_broker_that_does_not_answer_is_told_by_its_address() -> None:
    kafka = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:1"):
        await produce(MINUTE, kafka, asyncio.Event(), silent)
