"""The retrainer as a real process on a site: windows in, an archive out."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
from argus_site import IngestProcess, Site, free_port, until

from argus_common.events import Event, WindowClosed, encode
from argus_common.kafka.outbox import Outbox
from argus_common.topics import MODELS
from argus_retrainer.adapters.object_folder import ObjectFolder
from argus_retrainer.adapters.parquet_archive import ParquetArchive

STEP = 5_785_632
"""2025-01-01T00:00:00Z, of five minutes."""


def window(server: str, step: int = STEP, fleet: str = "default", **metrics: float) -> WindowClosed:
    """A window of five minutes."""
    told = metrics or {"cpu_idle_pct": float(step % 97), "mem_used_pct": 40.0}
    return WindowClosed(fleet=fleet, server=server, step=step, step_seconds=300, samples=10, metrics=told)


def launch_retrainer(site: Site, **settings: str) -> IngestProcess:
    """Start a replica."""
    port, log = free_port(), site.folder / f"retrainer{len(site.running)}.log"
    environment = os.environ | {
        "ARGUS_KAFKA_BOOTSTRAP_SERVERS": site.kafka.bootstrap_servers,
        "ARGUS_KAFKA_TOPIC_PREFIX": site.kafka.topic_prefix,
        "ARGUS_KAFKA_SESSION_TIMEOUT": "6",
        "ARGUS_REDIS_URL": site.redis.url,
        "ARGUS_REDIS_KEY_PREFIX": site.redis.key_prefix,
        "ARGUS_OPS_PORT": str(port),
        "ARGUS_RETRAINER_GROUP": site.kafka.topic_prefix + "retrainer",
        "ARGUS_RETRAINER_ARCHIVE": str(archive_of(site)),
        "ARGUS_RETRAINER_ARCHIVE_EVERY": "0.5",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **settings,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "argus_retrainer"], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    replica = IngestProcess(process, port, log)
    site.running.append(replica)
    return replica


def start_retrainer(site: Site, **settings: str) -> IngestProcess:
    """Start a replica and wait until it is ready."""
    replica = launch_retrainer(site, **settings)
    until(replica.ready, f"the retrainer to be ready, see {replica.log}")
    return replica


def archive_of(site: Site) -> Path:
    """The folder of its archive."""
    return site.folder / "archive"


def archived(place: Path) -> pl.DataFrame:
    """Every window of the archive once, by fleet, server and time."""
    opened = ParquetArchive(ObjectFolder(str(place)))
    tables = [table.with_columns(fleet=pl.lit(day.fleet)) for day, table in opened.tables(opened.days())]
    if not tables:
        return pl.DataFrame({"fleet": [], "server": [], "timestamp": []})
    return pl.concat(tables, how="diagonal_relaxed").sort("fleet", "server", "timestamp")


def quick(site: Site, **settings: str) -> dict[str, str]:
    """Settings under which a training takes a minute."""
    return {
        "ARGUS_RETRAINER_MODELS": str(site.folder / "models"),
        "ARGUS_RETRAINER_WORK": str(site.folder / "work"),
        "ARGUS_RETRAINER_STEPS": "80",
        "ARGUS_RETRAINER_HORIZON_STEPS": "24",
        **settings,
    }


def told(site: Site) -> list[tuple[str, dict[str, Any]]]:
    """(type, fields) of everything on the models topic, repeats by id left out."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for headers, value in asyncio.run(site.records(MODELS.name)):
        kind = headers["ce_type"].decode().removeprefix("io.argus.").removesuffix(".v1")
        found.setdefault(headers["ce_id"].decode(), (kind, json.loads(value)))
    return list(found.values())


def kinds(site: Site) -> list[str]:
    """Types of everything on the models topic, refusals left out."""
    return [kind for kind, _ in told(site) if kind != "retrain.refused"]


async def send_events(site: Site, topic: str, *events: Event) -> None:
    """Publish events."""
    outbox = Outbox(site.kafka, "test")
    await outbox.start()
    try:
        await outbox.send(topic, [encode(event, "/test") for event in events])
    finally:
        await outbox.stop()
