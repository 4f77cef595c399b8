"""What ingest needs of the outside, in memory: a journal of effects, each of which can be made to fail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ingest_domain import saved
from prometheus_client import CollectorRegistry

from argus_common.clock import ManualClock
from argus_common.errors import TakenOverError, TransientError
from argus_common.events import Record
from argus_common.kafka.dead_letters import DeadLetter, FloodGuard
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.ops import Health
from argus_common.retry import Backoff
from argus_common.ring.layout import Floats, Steps
from argus_ingest.domain.decode import Decoder
from argus_ingest.domain.mapping import Mapping as MetricMapping
from argus_ingest.domain.servers import ServerTable
from argus_ingest.domain.snapshot import Change, Snapshot
from argus_ingest.domain.steps import StepClock
from argus_ingest.metrics import IngestMetrics
from argus_ingest.pipeline import Outside, Pipeline

NO_RETRY = Backoff(first=1, longest=1, give_up_after=0)


@dataclass(frozen=True)
class Received:
    """A record as the broker hands it over."""

    offset: int
    value: bytes | None
    partition: int = 0
    topic: str = "argus.metrics.v1"
    timestamp: int = 1_735_689_600_000
    key: bytes | None = b"web1"


@dataclass
class Journal:
    """What was done, in order; an effect named in ``failing`` fails until it is taken out."""

    done: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    on_failure: Callable[[], None] = lambda: None

    def note(self, effect: str) -> None:
        """Do it or fail.

        Raises:
            TransientError: the effect is named in ``failing``.
        """
        if effect in self.failing:
            self.on_failure()
            raise TransientError(f"{effect} failed")
        self.done.append(effect)


@dataclass
class FakeStore:
    """Snapshots in memory; the contract is that of the store in Redis."""

    journal: Journal = field(default_factory=Journal)
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    marks: set[int] = field(default_factory=set)
    taken_over: set[int] = field(default_factory=set)
    """By another replica, until they are loaded again."""

    async def load(self, partition: int) -> Snapshot | None:
        """The last snapshot of a marked partition."""
        self.journal.note("load")
        self.taken_over.discard(partition)
        return self.snapshots.get(partition) if partition in self.marks else None

    async def save(self, changes: Mapping[int, Change]) -> None:
        """All or nothing."""
        self.journal.note("save")
        if lost := self.taken_over & set(changes):
            raise TakenOverError(f"partitions {sorted(lost)} were taken over")
        for partition, change in changes.items():
            self.snapshots[partition] = saved(self.snapshots.get(partition, Snapshot()), change)

    async def mark(self, partition: int) -> None:
        """Complete from here on."""
        self.journal.note("mark")
        self.marks.add(partition)

    async def lost(self, partitions: Sequence[int]) -> list[int]:
        """Those without a mark."""
        if "lost" in self.journal.failing:
            self.journal.note("lost")
        return [partition for partition in partitions if partition not in self.marks]

    def clear(self) -> None:
        """As a restart without a disk does."""
        self.snapshots.clear()
        self.marks.clear()


@dataclass
class FakeRings:
    """(name, step) → row."""

    journal: Journal
    rows: dict[tuple[str, int], bytes] = field(default_factory=dict)

    async def write(self, names: Sequence[str], steps: Steps, values: Floats) -> None:
        """Idempotent."""
        self.journal.note("rings")
        for name, step, row in zip(names, steps.tolist(), values, strict=True):
            self.rows[name, step] = row.tobytes()


@dataclass
class FakePublisher:
    """Keeps all that was ever published."""

    journal: Journal
    published: list[Record] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)

    async def windows(self, records: Sequence[Record]) -> None:
        """Keep them."""
        self.journal.note("windows")
        self.published += records

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep them."""
        self.journal.note("letters")
        self.letters += letters


@dataclass
class FakeRebuilder:
    """Answers with what it was given."""

    journal: Journal
    snapshots: dict[int, Snapshot] = field(default_factory=dict)

    async def rebuild(self, partitions: Sequence[int]) -> dict[int, Snapshot]:
        """Nothing was ever published where nothing was given."""
        self.journal.note("rebuild")
        return {partition: self.snapshots.get(partition, Snapshot()) for partition in partitions}


@dataclass
class World:
    """Everything outside of a pipeline, an hour into 2025; outlives the pipelines that are made on it."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(ManualClock().start_ms + 3_600_000))
    journal: Journal = field(default_factory=Journal)
    collected: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.store, self.rings = FakeStore(self.journal), FakeRings(self.journal)
        self.publisher, self.rebuilder = FakePublisher(self.journal), FakeRebuilder(self.journal)
        self.metrics = IngestMetrics(self.collected)
        self.health = Health("kafka", clock=self.clock)

    def pipeline(
        self,
        max_share: float = 0.2,
        at_least: int = 500,
        backoff: Backoff = NO_RETRY,
        forget_steps: int = 2304,
        max_servers: int = 1000,
    ) -> Pipeline:
        """A process that has just started."""
        servers = ServerTable(max_servers)
        return Pipeline(
            DEFAULT_CATALOGUE,
            Decoder(DEFAULT_CATALOGUE, MetricMapping(), servers, 300_000),
            servers,
            StepClock(300_000, 60_000),
            Outside(self.rings, self.store, self.publisher, self.rebuilder, self.clock, self.health, backoff),
            self.metrics,
            FloodGuard(max_share=max_share, at_least=at_least),
            silence_steps=288,
            forget_steps=forget_steps,
        )

    def metric(self, name: str, **labels: str) -> float | None:
        """The value of a series now."""
        return self.collected.get_sample_value(name, labels)
