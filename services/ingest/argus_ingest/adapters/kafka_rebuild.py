"""Rebuilds rings from the windows topic, which holds the truth that Redis caches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from argus_common.errors import TransientError
from argus_common.events import Headers
from argus_common.fleet import FleetSums
from argus_common.kafka import build_consumer
from argus_common.kafka.partitions import partitions_of
from argus_common.metrics import Catalogue
from argus_common.ops import Health
from argus_common.ring.layout import Floats
from argus_common.settings import KafkaSettings
from argus_common.topics import WINDOWS
from argus_ingest.domain.encode import READ_UP_TO
from argus_ingest.domain.fleet import FleetLedger, FleetStep
from argus_ingest.domain.servers import DEFAULT_PROFILE
from argus_ingest.domain.snapshot import Snapshot
from argus_ingest.metrics import IngestMetrics
from argus_ingest.ports import Rings


class _Window(msgspec.Struct):
    """The part of a WindowClosed event that a ring holds."""

    fleet: str
    server: str
    step: int
    step_seconds: int
    metrics: dict[str, float]
    profile: str = DEFAULT_PROFILE


_decode = msgspec.json.Decoder(_Window).decode


@dataclass(slots=True)
class _Restored:
    position: int = 0
    heads: dict[str, int] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)
    ledger: FleetLedger = field(default_factory=FleetLedger)
    counted: set[tuple[str, int]] = field(default_factory=set)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.position, self.heads, self.ledger.sums, profiles=self.profiles)


class _Received(Protocol):
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


class KafkaRebuilder:
    """Reads the windows topic from the beginning to the end.

    A header says of each window which metrics partition it came from, and up to where that was read. The whole topic
    is read for it: not every producer of metrics places keys as we do (librdkafka's default partitioner differs from
    Java's), so the windows of a metrics partition may lie anywhere.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        rings: Rings,
        catalogue: Catalogue,
        step_seconds: int,
        metrics: IngestMetrics,
        health: Health,
    ) -> None:
        self._settings, self._rings, self._step_seconds = settings, rings, step_seconds
        self._metrics, self._health = metrics, health
        self._names = catalogue.names()
        self._column = {name: i for i, name in enumerate(self._names)}

    async def rebuild(self, partitions: Sequence[int]) -> dict[int, Snapshot]:
        """Write the rings again; heads and fleet sums as the topic tells them."""
        consumer = build_consumer(self._settings, group=None, client_id="argus-ingest-rebuild")
        restored = {partition: _Restored() for partition in partitions}
        try:
            await consumer.start()
            sources = await partitions_of(self._settings, self._settings.topic(WINDOWS.name))
            if sources:
                await self._read_to_the_end(consumer, sources, restored)
        except KafkaError as error:
            raise TransientError(f"Kafka failed while rebuilding rings: {error}") from error
        finally:
            await consumer.stop()
        return {p: found.snapshot() for p, found in restored.items()}

    async def _read_to_the_end(
        self, consumer: AIOKafkaConsumer, sources: Sequence[TopicPartition], restored: dict[int, _Restored]
    ) -> None:
        consumer.assign(sources)
        ends = await consumer.end_offsets(sources)
        await consumer.seek_to_beginning(*sources)
        while any([await consumer.position(tp) < ends[tp] for tp in sources]):
            batches = await consumer.getmany(*sources, timeout_ms=500)
            self._health.beat()  # eight days of a large fleet take longer than a loop may be silent
            for partition, windows in _by_partition(batches.values(), restored).items():
                await self._restore(windows, restored[partition])

    async def _restore(self, windows: list[_Window], restored: _Restored) -> None:
        windows = [window for window in windows if window.step_seconds == self._step_seconds]
        if not windows:
            return
        values = np.full((len(windows), len(self._names)), np.nan, np.float32)
        for row, window in enumerate(windows):
            for name, value in window.metrics.items():
                if name in self._column:
                    values[row, self._column[name]] = value
        names = [f"{window.fleet}/{window.server}" for window in windows]
        steps = np.array([window.step for window in windows], np.int64)
        await self._rings.write(names, steps, values)
        self._metrics.rebuilt.inc(len(windows))
        self._recount(names, windows, values, restored)

    def _recount(self, names: list[str], windows: list[_Window], values: Floats, restored: _Restored) -> None:
        """Heads, and fleet sums in which a window that was published twice counts once."""
        by_step: dict[FleetStep, list[int]] = {}
        for row, (name, window) in enumerate(zip(names, windows, strict=True)):
            if window.step >= restored.heads.get(name, window.step):
                restored.heads[name], restored.profiles[name] = window.step, window.profile
            if (name, window.step) not in restored.counted:
                restored.counted.add((name, window.step))
                by_step.setdefault((window.fleet, window.step), []).append(row)
        for key, rows in by_step.items():
            part = FleetSums.of(values[rows].astype(np.float64), self._names)
            restored.ledger.sums[key] = restored.ledger.sums.get(key, FleetSums.none()).merge(part)


def _by_partition(batches: Iterable[Iterable[_Received]], restored: dict[int, _Restored]) -> dict[int, list[_Window]]:
    """The windows that came from the wanted partitions; notes up to where each had been read when they closed."""
    found: dict[int, list[_Window]] = {}
    for record in (record for records in batches for record in records):
        partition, _, offset = dict(record.headers).get(READ_UP_TO, b"").decode().partition(":")
        if record.value and partition.isdigit() and int(partition) in restored:
            one = restored[int(partition)]
            one.position = max(one.position, int(offset))
            found.setdefault(int(partition), []).append(_decode(record.value))
    return found
