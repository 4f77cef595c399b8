"""Hot swap: how much later forecasts come while a promoted model is loaded, tried and put in place."""

import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np

from argus_cli.promotion_topic import publish
from argus_common.events import ForecastIssued, WindowClosed, encode
from argus_common.kafka import build_consumer, build_producer
from argus_common.settings import KafkaSettings
from argus_common.topics import PREDICTIONS, WINDOWS
from argus_forecasting.calibration import Calibration
from argus_forecasting.trained.artefact import Manifest, save
from argus_forecasting.trained.networks import build
from argus_forecasting.trained.promotion import Said, promotion
from argus_forecasting.trained.store import ModelStore
from argus_forecasting.training.presets import PRESETS
from argus_local import Stack
from bench.models import SCHEMA, TARGETS
from bench.report import Measurement
from bench.site import fill, service, settings

SERVERS, STEP, STEADY, PREFIX = 200, 5_785_632, 10, "swap-"
MODELS = ("residual", "residual", "tft", "tft")
"""Written and promoted one after the other, as training does it."""


class _Flow:
    """Steps of all servers, each sent once the forecasts of the one before are read."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._producer = build_producer(kafka)
        self._consumer = build_consumer(kafka, kafka.topic(PREDICTIONS.name), group=None)
        self._topic, self._step = kafka.topic(WINDOWS.name), STEP
        self.forecasts = 0

    async def start(self) -> None:
        await self._producer.start()
        await self._consumer.start()

    async def stop(self) -> None:
        await self._consumer.stop()
        await self._producer.stop()

    async def step(self) -> tuple[float, set[str]]:
        """Seconds until the last forecast of the next step, and which versions made them."""
        self._step += 1
        values = {target: 40 + 5 * float(np.sin(self._step)) for target in TARGETS}
        begin, futures = time.monotonic(), []
        for i in range(SERVERS):
            window = WindowClosed(
                fleet="default", server=f"s{i}", step=self._step, step_seconds=300, samples=9, metrics=values
            )
            futures.append(await self._producer.send(self._topic, encode(window, "/bench").value, f"s{i}".encode()))
        await asyncio.gather(*futures)
        seen: list[ForecastIssued] = []
        while len(seen) < SERVERS:
            for records in (await self._consumer.getmany(timeout_ms=50)).values():
                seen += [ForecastIssued.model_validate_json(record.value) for record in records]
        self.forecasts += len(seen)
        if {one.origin for one in seen} != {self._step}:
            raise SystemExit("an origin was forecast twice, or not at all")
        return time.monotonic() - begin, {one.model.version for one in seen}


async def _measure(kafka: KafkaSettings, store: ModelStore) -> list[Measurement]:
    flow = _Flow(kafka)
    await flow.start()
    await flow.step()
    found = []
    for number, family in enumerate(MODELS, start=1):
        before = [(await flow.step())[0] for _ in range(STEADY)]
        manifest = _manifest(family, number)
        save(store.folder, manifest, build(manifest.network, SCHEMA), "# bench")
        await publish(kafka, promotion(store, manifest, (), Said("", "bench", number)))
        during: list[float] = []
        while True:
            seconds, versions = await flow.step()
            during.append(seconds)
            if versions == {str(number)}:
                break
        after = [(await flow.step())[0] for _ in range(STEADY)]
        usual = max(float(np.median(before)), float(np.median(after)))
        note = f"{len(during)} steps of {SERVERS} servers from promotion to swap; usual {usual:.2f} s"
        what = f"added latency, swap {number} to {family}"
        found.append(Measurement(what, max(0.0, max(during) - usual), "s", 1, higher=False, note=note))
    await flow.stop()
    return found


def _manifest(family: str, number: int) -> Manifest:
    return Manifest(
        "fleet", str(number), "2026-01-01T00:00:00Z", SCHEMA, PRESETS[family, "small"].network, Calibration()
    )


def measure(stack: Stack) -> list[Measurement]:
    """The slowest step between a promotion and the first step that the new model made, over the usual one."""
    kafka = settings(stack, PREFIX)
    asyncio.run(fill(kafka, iter(())))
    with (
        tempfile.TemporaryDirectory() as folder,
        service("argus_inference", stack, PREFIX, ARGUS_INFERENCE_MODELS=folder),
    ):
        return asyncio.run(_measure(kafka, ModelStore(Path(folder))))
