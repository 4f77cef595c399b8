"""What a step of a large fleet costs the drift service, while it learns and once it watches, and what it keeps."""

from time import process_time

import numpy as np

from argus_drift.domain.fleet.columns import LEADS, Row
from argus_drift.domain.fleet.snapshots import packed
from argus_drift.domain.fleet.watch import Watch
from argus_local import Stack
from bench.report import Measurement

SERVERS, STEP_SECONDS = 10_000, 300
TARGETS = ("cpu_used_pct", "cpu_iowait_pct", "mem_used_pct", "swap_used_pct", "disk_usage_pct")
HOUR = 3600 // STEP_SECONDS
FIRST = 5_785_632 // HOUR * HOUR
LEARNED_HOURS = 168
MEASURED_HOURS = 3
MODEL = ("analog", "3", False)


def measure(stack: Stack) -> list[Measurement]:
    """Measure; nothing outside of the process is needed."""
    del stack
    watch, chance = Watch.of(("default", STEP_SECONDS), TARGETS), np.random.default_rng(1)
    learning = _steps(watch, chance, 0, MEASURED_HOURS * HOUR)
    _steps(watch, chance, MEASURED_HOURS * HOUR, LEARNED_HOURS * HOUR)
    began = process_time()
    full = len(packed(watch, 0, {}))
    packing = process_time() - began
    graduating = _steps(watch, chance, LEARNED_HOURS * HOUR, (LEARNED_HOURS + 28) * HOUR)
    watching = _steps(watch, chance, (LEARNED_HOURS + 28) * HOUR, (LEARNED_HOURS + 28 + MEASURED_HOURS) * HOUR)
    return [
        _of("a step while all learn", learning),
        _of("a step while references are made, the slowest", [max(graduating)]),
        _of("a step once all are watched", watching),
        _of("the step that ends an hour, once all are watched", watching[HOUR - 1 :: HOUR]),
        Measurement("all that is known, after a week of learning", full / 1e6, "MB", higher=False),
        Measurement("putting it together, CPU time", packing, "s", higher=False),
    ]


def _of(what: str, spans: list[float]) -> Measurement:
    worst = f"the slowest {max(spans):.0f} ms" if len(spans) > 1 else ""
    return Measurement(what, float(np.median(spans)), "ms", 300, 100, higher=False, note=worst)


def _steps(watch: Watch, chance: np.random.Generator, begin: int, end: int) -> list[float]:
    """CPU time of each step in milliseconds."""
    spans = []
    for step in range(begin, end):
        rows = _rows(chance, step)
        began = process_time()
        watch.step(FIRST + step, rows)
        spans.append(1000 * (process_time() - began))
    return spans


def _rows(chance: np.random.Generator, step: int) -> dict[str, Row]:
    day = 10 * np.sin(step * 2 * np.pi / (24 * HOUR))
    observed = 50 + day + chance.normal(0, 5, (SERVERS, len(TARGETS)))
    scores = chance.uniform(0, 1, (SERVERS, 2 * len(TARGETS) * LEADS))
    numbers = np.concatenate([observed, scores], axis=1).astype(np.float32)
    return {f"server{i:05d}": Row("web", MODEL, row) for i, row in enumerate(numbers)}
