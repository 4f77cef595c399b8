"""A fleet with a daily rhythm, and what can happen to it; a step is half an hour, so that a week is short."""

import io
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from argus_drift.domain.alarm import Alarm
from argus_drift.domain.detector import Detector

Floats = npt.NDArray[np.float32]
STEP_SECONDS = 1800
HOUR = 2
DAY = 24 * HOUR
WEEK = 7 * DAY
TARGETS = ("cpu_used_pct", "mem_used_pct")


def fleet(servers: int, days: int, seed: int = 0) -> Floats:
    """(time, server, target): CPU with a daily wave, memory that follows it."""
    rng = np.random.default_rng(seed)
    time = np.arange(days * DAY)[:, None]
    cpu = 40 + 15 * np.sin(2 * np.pi * time / DAY) + rng.normal(0, 3, (days * DAY, servers))
    memory = 30 + 0.5 * cpu + rng.normal(0, 1, cpu.shape)
    return np.stack((cpu, memory), axis=2).astype(np.float32)


def restless(servers: int, days: int, seed: int = 0) -> Floats:
    """(time, server, target): CPU wanders without a rhythm, memory follows it, each server by itself."""
    rng = np.random.default_rng(seed)
    cpu = np.full((days * DAY, servers), 40.0)
    for now in range(1, len(cpu)):
        cpu[now] = 40 + 0.7 * (cpu[now - 1] - 40) + rng.normal(0, 6, servers)
    return np.stack((cpu, 30 + 0.5 * cpu + rng.normal(0, 0.5, cpu.shape)), axis=2).astype(np.float32)


def detector(servers: int, targets: tuple[str, ...] = TARGETS, reference_hours: int = 168) -> Detector:
    return Detector(servers, targets, STEP_SECONDS, reference_hours)


def play(watch: Detector, values: Floats, first: int = 0) -> list[Alarm]:
    """Tell all steps."""
    return [alarm for step, row in enumerate(values, first) for alarm in watch.step(step, row)]


def through_a_file(saved: dict[str, object]) -> dict[str, object]:
    """As a snapshot comes back from a store."""
    buffer = io.BytesIO()
    np.savez(buffer, **saved)  # type: ignore[arg-type]
    buffer.seek(0)
    return dict(np.load(buffer))


def hours_between(alarms: Iterable[Alarm], onset: int) -> list[float]:
    return [(alarm.step + 1 - onset) / HOUR for alarm in alarms]
