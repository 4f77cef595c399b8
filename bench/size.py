"""What a thousand servers cost: CPU of a step and memory of each service and of Redis, the whole system running."""

import asyncio
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import redis

from argus_common.kafka.provision import provision
from argus_local import Stack
from bench.report import Measurement
from bench.site import Service, service, settings

SERVERS, PARTITIONS = 1000, 12
SAMPLE_SECONDS, STEP_SECONDS, PAST_DAYS = 10, 300, 8
SPEED = 20
"""Event seconds per second: a step closes every fifteen seconds."""
WARM_STEPS, MEASURED_STEPS = 3, 6
PREFIX = "bench-size-"


def measure(stack: Stack) -> list[Measurement]:
    """Eight days of past, then steps as in operation but faster; CPU is of the steps after that."""
    asyncio.run(provision(settings(stack, PREFIX), partitions=PARTITIONS))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        services = _started(stack, folder, running)
        inference = services["inference"]
        inference.wait_for("argus_inference_forecasts_total", WARM_STEPS * SERVERS, seconds=1800)
        before = {name: one.series() for name, one in services.items()}
        wanted = before["inference"]["argus_inference_forecasts_total"] + MEASURED_STEPS * SERVERS
        inference.wait_for("argus_inference_forecasts_total", wanted, seconds=1800)
        after = {name: one.series() for name, one in services.items()}
        steps = (
            after["inference"]["argus_inference_forecasts_total"]
            - before["inference"]["argus_inference_forecasts_total"]
        )
        return [*_costs(before, after, steps / SERVERS), _redis(stack), _archive(after["retrainer"])]


def _started(stack: Stack, folder: str, running: ExitStack) -> dict[str, Service]:
    """The services by name; inference comes when the past is read, as after a restart."""

    def start(name: str, **told: str) -> Service:
        return running.enter_context(service(f"argus_{name}", stack, PREFIX, **told))

    began = datetime.now(UTC) - timedelta(days=1)
    made = {name: start(name) for name in ("ingest", "cascade")}
    often = {"ARGUS_RETRAINER_ARCHIVE_EVERY": "20", "ARGUS_RETRAINER_TIDY_EVERY": "20"}
    made["retrainer"] = start("retrainer", ARGUS_RETRAINER_ARCHIVE=f"{folder}/archive", **often)
    start(
        "simulator",
        ARGUS_SIMULATOR_SERVERS=str(SERVERS),
        ARGUS_SIMULATOR_HISTORY=str(PAST_DAYS * 86_400),
        ARGUS_SIMULATOR_START=began.isoformat(),
        ARGUS_SIMULATOR_INTERVAL=str(SAMPLE_SECONDS),
        ARGUS_SIMULATOR_SPEED=str(SPEED),
    )
    past = (PAST_DAYS * 86_400 // STEP_SECONDS - 1) * SERVERS
    made["ingest"].wait_for("argus_ingest_windows_total", past, seconds=1800)
    return made | {"inference": start("inference")}


def _costs(before: dict[str, dict[str, float]], after: dict[str, dict[str, float]], steps: float) -> list[Measurement]:
    found = []
    for name in after:
        spent = after[name]["process_cpu_seconds_total"] - before[name]["process_cpu_seconds_total"]
        cores = f"{spent / steps / STEP_SECONDS:.4f} cores at steps of {STEP_SECONDS} s"
        resident = after[name]["process_resident_memory_bytes"] / 1e6
        found += [
            Measurement(f"{name}, CPU of a step", spent / steps, "s", note=cores),
            Measurement(f"{name}, memory", resident, "MB", note="resident"),
        ]
    return found


def _archive(told: dict[str, float]) -> Measurement:
    a_day = told["argus_retrainer_archive_bytes"] / told["argus_retrainer_archive_days"] / 1e6
    return Measurement("archive, a day", a_day, "MB", note=f"of {told['argus_retrainer_archive_days']:.0f} days")


def _redis(stack: Stack) -> Measurement:
    with redis.Redis.from_url(stack.redis_url) as client:
        used = dict(client.info("memory"))["used_memory"] / 1e6
    return Measurement("Redis, memory", used, "MB", note="used")
