"""Promotions while windows flow, on a real Kafka and Redis: no origin without its forecast, none with two."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from argus_site import IngestProcess, Site, end, make_site, until
from inference_site import STEP, event, fill_rings, launch_inference, publish, windows
from model_site import MODEL, SCHEMA, add_version, promote, roll_back, spoil

from argus_common.events import ForecastIssued
from argus_common.kafka import build_consumer, build_producer
from argus_common.topics import DEAD_LETTERS, MODELS, PREDICTIONS
from argus_forecasting.statistical import AnalogForecaster
from argus_forecasting.trained.store import ModelStore

SERVERS = [f"web{i:02d}" for i in range(20)]
DEADLINE_SECONDS = 90.0
START_SECONDS = 150.0
"""It loads torch and the families' libraries first, ten seconds of one quiet core."""
STATISTICAL = (AnalogForecaster.name, AnalogForecaster.version)


@pytest.fixture
def site(bootstrap_servers: str, redis_url: str, unique_prefix: str, tmp_path: Path) -> Iterator[Site]:
    made = make_site(bootstrap_servers, redis_url, unique_prefix, tmp_path)
    yield made
    end(made)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def start(site: Site, store: ModelStore, **settings: str) -> IngestProcess:
    ring = {"ARGUS_INFERENCE_RING_STEPS": "2304", "ARGUS_INFERENCE_CHUNK_SERVERS": "8"}
    replica = launch_inference(site, ARGUS_INFERENCE_MODELS=str(store.folder), **ring, **settings)
    until(replica.ready, f"inference to be ready, see {replica.log}", START_SECONDS)
    return replica


@dataclass
class Flow:
    """Windows of every server, step by step, each once the forecasts of the one before are there."""

    site: Site
    consumer: AIOKafkaConsumer
    step: int = STEP
    told: list[ForecastIssued] = field(default_factory=list)

    async def one_step(self) -> tuple[str, str]:
        """The model that forecast the next step."""
        self.step += 1
        await publish(self.site, windows(SERVERS, self.step))
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(self.of_step(self.step)) < len(SERVERS):
                for records in (await self.consumer.getmany(timeout_ms=100)).values():
                    self.told += [event(record.value) for record in records]
        models = {(told.model.name, told.model.version) for told in self.of_step(self.step)}
        return max(models)

    async def until_served_by(self, version: str) -> None:
        """Go on until a whole step is forecast by this version."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while {told.model.version for told in self.of_step(self.step)} != {version}:
                await self.one_step()

    def of_step(self, step: int) -> list[ForecastIssued]:
        return [told for told in self.told if told.origin == step]

    def versions(self) -> list[tuple[str, str]]:
        """Name and version of every forecast in the order of the origins, repeats left out."""
        ordered = sorted({(told.origin, told.model.name, told.model.version) for told in self.told})
        models = [(name, version) for _, name, version in ordered]
        return [one for i, one in enumerate(models) if models[i - 1 : i] != [one]]

    def require_one_forecast_each(self) -> None:
        counted = Counter((told.server, told.origin) for told in self.told)
        steps = range(STEP + 1, self.step + 1)
        assert counted == Counter((server, step) for server in SERVERS for step in steps)


@asynccontextmanager
async def flowing(site: Site) -> AsyncIterator[Flow]:
    consumer = build_consumer(site.kafka, site.kafka.topic(PREDICTIONS.name), group=None)
    await consumer.start()
    try:
        yield Flow(site, consumer)
    finally:
        await consumer.stop()


def swaps(replica: IngestProcess, outcome: str) -> float:
    return replica.metric(f'argus_inference_model_swaps_total{{outcome="{outcome}"}}')


def test_models_are_swapped_while_windows_flow_and_every_origin_has_one_forecast(site: Site, store: ModelStore) -> None:
    for version in ("1", "2", "3"):
        add_version(store, version)
    spoil(store, "2")
    asyncio.run(fill_rings(site, SERVERS))
    replica = start(site, store)

    async def scenario() -> Flow:
        async with flowing(site) as flow:
            assert await flow.one_step() == STATISTICAL
            await promote(site, store, "1")
            await flow.until_served_by("1")
            await promote(site, store, "2", at_ms=1)
            while swaps(replica, "refused") == 0:
                assert await flow.one_step() == (MODEL, "1")
            await promote(site, store, "3", at_ms=2)
            await flow.until_served_by("3")
            await roll_back(site, store, at_ms=3)  # to 2, which can't be trusted
            while swaps(replica, "refused") == 1:
                assert await flow.one_step() == (MODEL, "3")
            await promote(site, store, "1", at_ms=4)
            await flow.until_served_by("1")
            return flow

    flow = asyncio.run(scenario())
    flow.require_one_forecast_each()
    assert flow.versions() == [STATISTICAL, (MODEL, "1"), (MODEL, "3"), (MODEL, "1")]
    assert {told.model.kind for told in flow.told if told.model.name == MODEL} == {"residual"}
    assert replica.ready()
    assert swaps(replica, "swapped") == 3
    assert replica.metric(f'argus_model_info{{kind="residual",name="{MODEL}",version="1"}}') == 1.0
    assert "altered" in replica.log.read_text()
    assert replica.terminate() == 0


def test_every_replica_swaps(site: Site, store: ModelStore) -> None:
    add_version(store, "1")
    replicas = [start(site, store) for _ in range(2)]
    asyncio.run(promote(site, store, "1"))
    for replica in replicas:
        until(lambda replica=replica: swaps(replica, "swapped") == 1, f"the swap, see {replica.log}")  # type: ignore[misc]
    assert [replica.terminate() for replica in replicas] == [0, 0]


def test_the_version_that_serves_is_served_from_the_first_window_on(site: Site, store: ModelStore) -> None:
    for version in ("1", "2"):
        add_version(store, version)
        asyncio.run(promote(site, store, version))
    asyncio.run(roll_back(site, store))
    start(site, store)

    async def scenario() -> tuple[str, str]:
        async with flowing(site) as flow:
            return await flow.one_step()

    assert asyncio.run(scenario()) == (MODEL, "1")


def test_a_version_that_is_not_there_yet_is_served_once_it_is(site: Site, store: ModelStore, tmp_path: Path) -> None:
    elsewhere = ModelStore(tmp_path / "elsewhere")
    add_version(elsewhere, "1")
    asyncio.run(promote(site, elsewhere, "1"))
    replica = start(site, store)
    assert swaps(replica, "missing") == 1
    assert str(elsewhere.folder) in replica.log.read_text()

    async def scenario() -> Flow:
        async with flowing(site) as flow:
            assert await flow.one_step() == STATISTICAL
            shutil.copytree(elsewhere.folder, store.folder)
            await flow.until_served_by("1")
            return flow

    asyncio.run(scenario()).require_one_forecast_each()
    assert replica.ready()


def test_a_model_for_another_step_length_never_forecasts(site: Site, store: ModelStore) -> None:
    add_version(store, "1", replace(SCHEMA, step_seconds=60))
    asyncio.run(promote(site, store, "1"))
    replica = start(site, store)

    async def scenario() -> tuple[str, str]:
        async with flowing(site) as flow:
            return await flow.one_step()

    assert asyncio.run(scenario()) == STATISTICAL
    until(lambda: swaps(replica, "refused") == 1, "the refusal to be told")


def test_what_can_not_be_read_on_the_models_topic_is_put_aside(site: Site, store: ModelStore) -> None:
    async def send() -> None:
        producer = build_producer(site.kafka)
        await producer.start()
        headers = [("ce_type", b"io.argus.model.promoted.v1")]
        sha256 = "0" * 64
        hostile = f'{{"model":"fleet","version":"../x","family":"x","manifest_sha256":"{sha256}","promoted_ms":1}}'
        await producer.send_and_wait(site.kafka.topic(MODELS.name), hostile.encode(), b"fleet", headers=headers)
        await producer.stop()

    add_version(store, "1")
    replica = start(site, store)
    asyncio.run(send())
    asyncio.run(promote(site, store, "1"))
    until(lambda: swaps(replica, "swapped") == 1, f"the swap, see {replica.log}")
    letters = asyncio.run(site.records(DEAD_LETTERS.name))
    assert [(headers["argus_topic"], headers["argus_reason"]) for headers, _ in letters] == [
        (site.kafka.topic(MODELS.name).encode(), b"invalid_field")
    ]
