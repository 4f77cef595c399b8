"""What a deployed service costs: installed size, start by the clock and in CPU time, memory while it waits for work."""

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from argus_common.kafka.provision import provision
from argus_local import Stack
from bench import alone
from bench.report import Measurement
from bench.site import service, settings

IDLE_SECONDS = 10.0
STARTS = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a kind of service may cost at most; None where nothing was promised."""

    installed_mb: float | None
    start_seconds: float
    idle_mb: float | None


TORCH_FREE = Bounds(300, 3, 120)
WITH_TORCH = Bounds(None, 10, None)


def measure(stack: Stack) -> list[Measurement]:
    """Every service that has an image, installed as its image installs it."""
    found = []
    with tempfile.TemporaryDirectory(prefix="argus-bench-") as folder:
        for name in alone.services():
            found += _of(stack, name, Path(folder) / name)
    return found


def _of(stack: Stack, name: str, folder: Path) -> list[Measurement]:
    python = alone.install(name, folder)
    size, bounds = alone.installed_mb(folder), WITH_TORCH if alone.needs_torch(name) else TORCH_FREE
    starts, work, idle = _runs(stack, name, python)
    note = "torch with CUDA, as the package index has it" if alone.needs_torch(name) else "no torch"
    ready = "to samples flowing" if name == "simulator" else "to /readyz"
    return [
        Measurement(f"{name}, installed", size, "MB", must=bounds.installed_mb, higher=False, note=note),
        Measurement(
            f"{name}, start", min(starts), "s", must=bounds.start_seconds, higher=False,
            note=f"process {ready}, best of {STARTS}: {', '.join(f'{s:.1f}' for s in starts)}",
        ),
        Measurement(
            f"{name}, start, CPU", min(work), "s", must=bounds.start_seconds, higher=False,
            note="until then: on a busy machine the number to look at",
        ),
        Measurement(f"{name}, idle memory", idle, "MB", must=bounds.idle_mb, higher=False, note="resident"),
    ]  # fmt: skip


def _runs(stack: Stack, name: str, python: Path) -> tuple[list[float], list[float], float]:
    """(seconds to ready, CPU seconds until then of each start; resident MB of the last after a while without work)."""
    starts, work, idle = [], [], 0.0
    for attempt in range(STARTS):
        prefix = f"bench-{name}-{attempt}-"
        asyncio.run(provision(settings(stack, prefix), partitions=4))
        begin = time.monotonic()
        with service(f"argus_{name}", stack, prefix, python=str(python)) as running:
            starts.append(time.monotonic() - begin)
            work.append(running.series()["process_cpu_seconds_total"])
            if attempt == STARTS - 1:
                time.sleep(IDLE_SECONDS)
                idle = running.series()["process_resident_memory_bytes"] / 1e6
    return starts, work, idle
