"""The order of effects around the archive: files, then offsets; what is taken away is forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry
from retrainer_site import STEP, window

from argus_common.clock import ManualClock
from argus_common.errors import DeadLetterFloodError, TransientError
from argus_common.events import encode
from argus_common.kafka.dead_letters import DeadLetter, FloodGuard
from argus_common.ops import Health
from argus_common.retry import Backoff
from argus_retrainer.archiving import Archiving, Keeping
from argus_retrainer.domain.archive_day import Day
from argus_retrainer.domain.buffer import Held, WindowBuffer
from argus_retrainer.metrics import ArchiveMetrics

ONCE = Backoff(first=0.001, longest=0.001, give_up_after=0.002)


def record(offset: int, value: bytes | None = None) -> SimpleNamespace:
    made = encode(window("a", STEP + offset), "/argus/ingest").value if value is None else value
    return SimpleNamespace(topic="w", partition=0, offset=offset, timestamp=0, key=b"a", value=made, headers=())


@dataclass
class FakeSource:
    log: list[str]
    ready: list[dict[int, list[SimpleNamespace]]] = field(default_factory=list)
    revoked: set[int] = field(default_factory=set)
    well: bool = True

    async def poll(self, wait_ms: int) -> dict[int, list[SimpleNamespace]]:
        assert wait_ms > 0
        return self.ready.pop(0) if self.ready else {}

    def take_revoked(self) -> set[int]:
        revoked, self.revoked = self.revoked, set()
        return revoked

    def assigned(self) -> list[int]:
        return [0, 1]

    async def commit(self, offsets: Mapping[int, int]) -> None:
        if offsets:
            self.log.append(f"commit {dict(offsets)}")

    def lag(self) -> dict[int, int]:
        return {0: 7}

    async def read_to_end(self) -> list[int] | None:
        return [] if self.well else None


@dataclass(frozen=True)
class Files:
    files: tuple[str, ...]
    size: int = 10


@dataclass
class FakeArchive:
    log: list[str]
    known: dict[Day, Files] = field(default_factory=dict)
    fails: bool = False

    def add(self, partition: int, held: Held) -> int:
        if self.fails:
            raise TransientError("the store is away")
        self.log.append(f"write {partition}: {held.first}-{held.last} {len(held.windows)}")
        return 1

    def days(self) -> dict[Day, Files]:
        return self.known

    def compact(self, day: Day, files: tuple[str, ...]) -> bool:
        self.log.append(f"compact {day.date} {len(files)}")
        return True

    def drop(self, day: Day, files: tuple[str, ...]) -> None:
        self.log.append(f"drop {day.date} {len(files)}")


@dataclass
class Bench:
    log: list[str] = field(default_factory=list)
    buried: list[DeadLetter] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source, self.archive = FakeSource(self.log), FakeArchive(self.log)
        self.clock, self.health, self.registry = ManualClock(), Health("kafka"), CollectorRegistry()
        self.archiving = Archiving(
            self.source,
            self.archive,
            self,
            WindowBuffer(most=3, seconds=10),
            Keeping(30, 3600),
            FloodGuard(max_share=0.5, at_least=3),
            self.health,
            ArchiveMetrics(self.registry),
            self.clock,
            ONCE,
        )

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        self.buried += letters

    async def rounds(self, *ready: dict[int, list[SimpleNamespace]]) -> None:
        self.source.ready = [*ready]
        for _ in range(max(len(ready), 1)):
            await self.archiving.round()


async def test_offsets_are_committed_after_the_files_are_written() -> None:
    bench = Bench()
    await bench.rounds({0: [record(4), record(5)]})
    assert bench.log == []
    await bench.rounds({0: [record(6)], 1: [record(9)]})
    assert bench.log[:3] == ["write 0: 4-6 3", "write 1: 9-9 1", "commit {0: 7, 1: 10}"]


async def test_old_windows_are_written_though_they_are_few() -> None:
    bench = Bench()
    await bench.rounds({0: [record(4)]})
    bench.clock.advance(10)
    await bench.rounds()
    assert bench.log[:2] == ["write 0: 4-4 1", "commit {0: 5}"]


async def test_what_was_taken_away_is_neither_written_nor_committed() -> None:
    bench = Bench()
    await bench.rounds({0: [record(4), record(5)], 1: [record(9)]})
    bench.log.clear()
    await bench.rounds({0: [record(6)]})
    bench.source.revoked = {0}
    bench.clock.advance(10)
    await bench.rounds({1: [record(10), record(11), record(12)]})
    assert not any(entry.startswith("write 0") for entry in bench.log)
    assert bench.log[-1] == "commit {1: 13}"


async def test_a_store_that_stays_away_ends_the_process_without_a_commit() -> None:
    bench = Bench()
    bench.archive.fails = True
    with pytest.raises(TransientError, match="the store is away"):
        await bench.rounds({0: [record(i) for i in range(3)]})
    assert bench.log == []


async def test_a_flood_of_unreadable_windows_ends_the_process_without_a_commit() -> None:
    bench = Bench()
    with pytest.raises(DeadLetterFloodError):
        await bench.rounds({0: [record(i, b"{") for i in range(3)]})
    assert len(bench.buried) == 3
    assert bench.log == []


async def test_days_are_compacted_and_dropped_once_in_a_while() -> None:
    bench = Bench()
    for when, count in ((date(2025, 1, 1), 1), (date(2025, 3, 1), 2), (date(2025, 3, 2), 2)):
        bench.archive.known[Day(300, "eu", when)] = Files(("x",) * count)
    for _ in range(3):
        await bench.rounds()
    assert bench.log == ["compact 2025-03-01 2", "drop 2025-01-01 1"]
    assert bench.registry.get_sample_value("argus_retrainer_archive_days") == 2
    bench.clock.advance(3600)
    await bench.rounds()
    assert len(bench.log) == 4


async def test_readiness_and_lag_are_told() -> None:
    bench = Bench()
    await bench.rounds()
    assert bench.health.ready() == []
    assert bench.registry.get_sample_value("argus_retrainer_lag_records", {"partition": "0"}) == 7
    bench.source.well = False
    bench.clock.advance(1)
    await bench.rounds()
    assert bench.health.ready() == ["kafka: not ready"]
