"""Forecast to cascade: how fast forecasts are read, and how long after a step's last one its event is on the topic."""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from scipy.special import ndtri

from argus_common.events import SCORED_LEADS, ForecastIssued, headers_of
from argus_common.events.base import step_time
from argus_common.kafka import build_consumer, build_producer
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.settings import KafkaSettings
from argus_common.topics import CASCADES, PREDICTIONS
from argus_local import Stack
from bench.report import Measurement
from bench.site import fill, service, settings

SERVERS, CALM, LIVE = 300, 96, 24
STEP_SECONDS, FIRST = 300, 5_785_632
PREFIX = "cascade-"
SPREADING = 6
TARGETS = tuple(metric.name for metric in DEFAULT_CATALOGUE.targets())

Sent = tuple[bytes, bytes, list[tuple[str, bytes]]]
"""Key, value, headers."""


def _name(number: int) -> str:
    return f"ppweb{number:05d}"


def _topology(folder: str) -> str:
    """A file in which each server uses the one before it."""
    edges = [{"source": _name(i + 1), "target": _name(i)} for i in range(SERVERS - 1)]
    file = Path(folder) / "topology.yaml"
    file.write_text(json.dumps({"edges": edges}), encoding="utf-8")  # JSON is YAML
    return str(file)


def _step(rng: np.random.Generator, step: int, ill: int) -> Iterator[Sent]:
    """A forecast of every server, as large as those of inference; the first ``ill`` are far out of their bands."""
    pits = rng.uniform(size=(SERVERS, len(TARGETS), len(SCORED_LEADS))).round(4)
    pits[:ill] = 1 - 1e-9
    residuals = (5.0 * ndtri(np.clip(pits, 1e-9, 1 - 1e-9))).round(4)
    quantiles = dict.fromkeys(TARGETS, [[float(f"{q:.5g}") for q in 50 + np.linspace(-9, 9, 7)]] * 96)
    for i in range(SERVERS):
        server = _name(i)
        body = {
            "fleet": "default",
            "server": server,
            "origin": FIRST + step,
            "step_seconds": STEP_SECONDS,
            "model": {"name": "analog", "version": "1"},
            "observed": dict.fromkeys(TARGETS, 50.0),
            "levels": [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98],
            "quantiles": quantiles,
            "risk": 5.0,
            "level": "healthy",
            "scores": [
                {"target": target, "lead": lead, "pit": pits[i, t, k], "residual": residuals[i, t, k], "pinball": 1.0}
                for t, target in enumerate(TARGETS)
                for k, lead in enumerate(SCORED_LEADS)
            ],
        }
        time_of = step_time(FIRST + step + 1, STEP_SECONDS)
        headers = headers_of(ForecastIssued.type, "/argus/bench", f"{server}/{step}", time_of)
        yield b"default", json.dumps(body).encode(), headers


async def _send(producer: AIOKafkaProducer, topic: str, records: Sequence[Sent]) -> float:
    """The moment when all were acknowledged."""
    futures = [await producer.send(topic, value, key, headers=headers) for key, value, headers in records]
    await asyncio.gather(*futures)
    return time.monotonic()


async def _past(kafka: KafkaSettings, rng: np.random.Generator) -> None:
    producer = build_producer(kafka)
    await producer.start()
    for step in range(CALM):
        await _send(producer, kafka.topic(PREDICTIONS.name), list(_step(rng, step, 0)))
    await producer.stop()


async def _delays(kafka: KafkaSettings, rng: np.random.Generator) -> list[float]:
    """Seconds from a step's last forecast being acknowledged to each of its events being readable."""
    producer, consumer = build_producer(kafka), build_consumer(kafka, kafka.topic(CASCADES.name), group=None)
    await producer.start()
    await consumer.start()
    found: list[float] = []
    for number in range(LIVE):
        records = list(_step(rng, CALM + number, min(1 + number // 2, SPREADING)))
        sent = await _send(producer, kafka.topic(PREDICTIONS.name), records)
        found += await _events(consumer, sent)
    await producer.stop()
    await consumer.stop()
    if not found:
        raise SystemExit("no cascade was told of")
    return found


async def _events(consumer: AIOKafkaConsumer, sent: float) -> list[float]:
    """Delays of the events that come within a second."""
    delays: list[float] = []
    while (left := sent + 1.0 - time.monotonic()) > 0:
        batches = await consumer.getmany(timeout_ms=max(1, round(1000 * left)))
        delays += [time.monotonic() - sent] * sum(len(records) for records in batches.values())
    return delays


def measure(stack: Stack) -> list[Measurement]:
    """Forecasts per CPU second while catching up, and the delay of events."""
    kafka, rng = settings(stack, PREFIX), np.random.default_rng(5)
    asyncio.run(fill(kafka, iter(())))
    asyncio.run(_past(kafka, rng))
    with (
        tempfile.TemporaryDirectory() as folder,
        service("argus_cascade", stack, PREFIX, ARGUS_CASCADE_TOPOLOGY=_topology(folder)) as cascade,
    ):
        before = cascade.series()
        after = cascade.wait_for("argus_cascade_forecasts_total", SERVERS * CALM)
        spent = after["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]
        read = after["argus_cascade_forecasts_total"] - before["argus_cascade_forecasts_total"]
        delays = asyncio.run(_delays(kafka, rng))
    note = f"{SERVERS} servers, a failure that travels, {len(delays)} events"
    return [
        Measurement("forecasts read per CPU second", read / spent, "/s", 2000, note=f"{SERVERS} servers, 25 kB each"),
        Measurement("forecast to event, median", float(np.median(delays)), "s", 5, 1, higher=False, note=note),
        Measurement("forecast to event, longest", max(delays), "s", 5, 1, higher=False, note=note),
    ]
