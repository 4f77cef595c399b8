"""Cascade as a real process on a site: forecasts in, events out."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from argus_site import IngestProcess, Site, free_port, until

from argus_common.events import SCORED_LEADS, ForecastIssued, ForecastScore, ModelReference, encode
from argus_common.kafka import build_producer
from argus_common.levels import level_of
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.topics import CASCADES, PREDICTIONS

STEP = 5_785_632
STEP_SECONDS = 300
TARGETS = tuple(metric.name for metric in DEFAULT_CATALOGUE.targets())
CHANCE = random.Random(1)
FAKE = Path(__file__).with_name("cascade_fake.py")

Told = dict[str, set[bytes]]
"""Event id → the values told under it."""


def forecast(
    server: str,
    step: int = STEP,
    risk: float = 5.0,
    fleet: str = "default",
    pit: float | None = 0.5,
    numbers: random.Random = CHANCE,
) -> ForecastIssued:
    """A forecast whose earlier ones were all met at ``pit``, or by chance."""
    scores = [
        ForecastScore(target=target, lead=lead, pit=numbers.random() if pit is None else pit, residual=0.0, pinball=1.0)
        for target in TARGETS
        for lead in SCORED_LEADS
    ]
    return ForecastIssued(
        fleet=fleet,
        server=server,
        origin=step,
        step_seconds=STEP_SECONDS,
        model=ModelReference(name="analog", version="1"),
        observed=dict.fromkeys(TARGETS, 40.0),
        levels=(0.1, 0.5, 0.9),
        quantiles={},
        risk=risk,
        level=level_of(risk),
        scores=scores,
    )


def step_of(servers: Sequence[str], step: int, unwell: Iterable[str] = (), risk: float = 70.0) -> list[ForecastIssued]:
    """A step of a fleet in which some servers are at risk, relative to `STEP`."""
    bad = set(unwell)
    return [forecast(server, STEP + step, risk if server in bad else 5.0) for server in servers]


async def publish(site: Site, issued: Iterable[ForecastIssued], *raw: tuple[str, bytes]) -> None:
    """Send forecasts as inference does, then raw (key, value) records; returns when all are acknowledged."""
    producer, topic = build_producer(site.kafka), site.kafka.topic(PREDICTIONS.name)
    await producer.start()
    try:
        records = [encode(one, "/argus/inference") for one in issued]
        values = [(r.key, r.value, list(r.headers)) for r in records] + [(k.encode(), v, []) for k, v in raw]
        sent = [await producer.send(topic, value, key, headers=headers) for key, value, headers in values]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


def environment(site: Site, **settings: str) -> dict[str, str]:
    """What a replica on this site is told."""
    return os.environ | {
        "ARGUS_KAFKA_BOOTSTRAP_SERVERS": site.kafka.bootstrap_servers,
        "ARGUS_KAFKA_TOPIC_PREFIX": site.kafka.topic_prefix,
        "ARGUS_KAFKA_SESSION_TIMEOUT": "6",
        "ARGUS_REDIS_URL": site.redis.url,
        "ARGUS_REDIS_KEY_PREFIX": site.redis.key_prefix,
        "ARGUS_OPS_PORT": str(free_port()),
        "ARGUS_CASCADE_GROUP": site.kafka.topic_prefix + "cascade",
        "ARGUS_CASCADE_SETTLE": "0.5",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **settings,
    }


def start_cascade(site: Site, *, real: bool = False, **settings: str) -> IngestProcess:
    """Start a replica and wait until it is ready; with a detector that can be foreseen unless ``real``."""
    told = environment(site, **settings)
    log = site.folder / f"cascade{len(site.running)}.log"
    command = ["-m", "argus_cascade"] if real else [str(FAKE)]
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, *command], env=told, stdout=output, stderr=subprocess.STDOUT)
    replica = IngestProcess(process, int(told["ARGUS_OPS_PORT"]), log)
    site.running.append(replica)
    until(replica.ready, f"cascade to be ready, see {log}")
    return replica


def cascades(site: Site) -> Told:
    """Everything on the cascades topic."""
    found: Told = {}
    for headers, value in asyncio.run(site.records(CASCADES.name)):
        found.setdefault(headers["ce_id"].decode(), set()).add(value)
    return found


def wait_for_cascades(site: Site, ids: Iterable[str]) -> Told:
    """All events, once these are among them."""
    wanted, found = set(ids), Told()

    def there() -> bool:
        found.update(cascades(site))
        return wanted <= found.keys()

    until(there, f"{sorted(wanted)}, see {[str(replica.log) for replica in site.running]}")
    return found


def event_id(step: int, sequence: int, fleet: str = "default") -> str:
    """The id of an event of the foreseeable detector; ``step`` of the opening, relative to `STEP`."""
    return f"{fleet}/{STEP_SECONDS}/{STEP + step}/{sequence}"
