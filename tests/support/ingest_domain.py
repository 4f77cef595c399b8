"""Ingest's domain driven by hand: a small catalogue, one partition without a broker, restarts included."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from argus_common.metrics import Catalogue
from argus_ingest.domain.aggregate import Aggregator, Windows
from argus_ingest.domain.encode import encode_windows
from argus_ingest.domain.partition import PartitionWindows, Progress
from argus_ingest.domain.rows import SampleRows
from argus_ingest.domain.servers import ServerTable
from argus_ingest.domain.snapshot import Change, Snapshot
from argus_ingest.domain.steps import StepClock

START_MS = 1_735_689_600_000
STEP_SECONDS = 300
FIRST_STEP = START_MS // 1000 // STEP_SECONDS
CLOCK = StepClock(step_ms=STEP_SECONDS * 1000, lateness_ms=60_000)

SMALL = Catalogue.model_validate(
    {
        "metrics": {
            "level": {"name": "level"},
            "peak": {"name": "peak", "aggregation": "max"},
            "state": {"name": "state", "aggregation": "last"},
            "total": {"name": "total", "aggregation": "rate", "lower": 0},
            "rest": {"name": "rest", "derived": {"offset": 100, "terms": {"level": -1, "peak": 2}}},
        }
    }
)
"""One metric of each rule: mean, max, last, rate, derived."""

Sample = tuple[str, float, float]
"""Server, seconds after the start, the value of every metric."""


def rows_of(servers: ServerTable, samples: Iterable[Sample], first_offset: int = 0, spacing: int = 1) -> SampleRows:
    """Rows of the small catalogue, in order of arrival, with offsets from ``first_offset`` on."""
    listed, width = list(samples), len(SMALL.received())
    return SampleRows(
        np.array([servers.add("default", server, None) for server, _, _ in listed], np.int32),
        np.array([START_MS + round(seconds * 1000) for _, seconds, _ in listed], np.int64),
        np.array([first_offset + i * spacing for i in range(len(listed))], np.int64),
        np.array([[value] * width for _, _, value in listed], np.float64).reshape(-1, width),
    )


@dataclass
class Partition:
    """One partition of which everything that leaves it is kept: windows by their bytes, late samples by offset."""

    restored: Snapshot = field(default_factory=Snapshot)
    silence_steps: int = 10**6
    forget_steps: int = 10**6
    published: list[bytes] = field(default_factory=list)
    late: set[int] = field(default_factory=set)
    spacing: int = 1

    def __post_init__(self) -> None:
        self.servers = ServerTable()
        self.windows = PartitionWindows(
            CLOCK,
            Aggregator(SMALL),
            self.servers,
            len(SMALL.received()),
            self.restored,
            self.silence_steps,
            self.forget_steps,
        )

    def feed(self, samples: Sequence[Sample], first_offset: int, now: float = 0.0) -> Progress:
        """Take one batch in."""
        rows = rows_of(self.servers, samples, first_offset * self.spacing, self.spacing)
        progress = self.windows.add(rows, (first_offset + len(samples)) * self.spacing, now)
        self.late |= {int(rows.offset[row]) for row in progress.late}
        self.keep(progress.windows)
        return progress

    def finish(self) -> None:
        """Close everything, as an idle partition does in the end."""
        self.keep(self.windows.close_idle(1e9, START_MS + 10**9, 0.0).windows)

    def keep(self, windows: Iterable[Windows]) -> None:
        """Publish."""
        for closed in windows:
            records = encode_windows(closed, self.servers, SMALL.names(), STEP_SECONDS, "0:0")
            self.published += [record.value for record in records]

    def outcome(self) -> tuple[list[bytes], set[int]]:
        """Distinct windows in a fixed order, and what came late."""
        return sorted(set(self.published)), self.late


def saved(before: Snapshot, change: Change) -> Snapshot:
    """What a store that held ``before`` holds after ``change``."""
    heads = {name: head for name, head in before.heads.items() if name not in change.forgotten}
    parked = {name: entries for name, entries in before.parked.items() if name not in change.forgotten}
    profiles = {name: profile for name, profile in before.profiles.items() if name in heads}
    return Snapshot(
        change.position,
        {**heads, **change.heads},
        dict(change.sums),
        change.floor,
        {**parked, **change.parked},
        {**profiles, **change.profiles},
    )


def undisturbed(
    stream: Sequence[Sample], silence_steps: int = 10**6, spacing: int = 1, forget_steps: int = 10**6
) -> Partition:
    """The stream in one batch, then everything closed."""
    partition = Partition(silence_steps=silence_steps, spacing=spacing, forget_steps=forget_steps)
    partition.feed(stream, 0)
    partition.finish()
    return partition


def record(server: str = "web1", timestamp: object = START_MS, /, **metrics: object) -> bytes:
    """A wide record."""
    return json.dumps({"server": server, "timestamp": timestamp, "metrics": metrics}).encode()
