"""What the subscription does with batches, failures, commits and rebalances; its broker is never connected."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, NodeNotReadyError
from inference_domain import LEVELS, TARGETS, ReadRecord, read, window

from argus_common.kafka import build_broker
from argus_common.kafka.records import EventRecord
from argus_common.settings import KafkaSettings
from argus_inference.adapters.kafka_subscription import Assignment, Subscription
from argus_inference.adapters.prometheus_page import ForecastPage
from argus_inference.handlers import WindowHandler
from argus_inference.settings import InferenceSettings

TOPIC = "t-argus.windows.v1"


class KeepingHandler(WindowHandler):
    """Keeps what it is handed, and answers or fails as told."""

    def __init__(self) -> None:
        self.handed: list[tuple[list[int], dict[int, int]]] = []
        self.assigned: list[list[int]] = []
        self.offsets: dict[int, int] = {}
        self.ended: list[set[int]] = []
        self.failure: Exception | None = None

    @property
    def busy(self) -> bool:
        return False

    async def on_windows(self, records: Sequence[EventRecord], queued: Mapping[int, int]) -> dict[int, int]:
        if self.failure:
            raise self.failure
        self.handed.append(([record.offset for record in records], dict(queued)))
        return self.offsets

    async def on_tick(self, read_to_the_end: Collection[int] = ()) -> dict[int, int]:
        self.ended.append(set(read_to_the_end))
        return self.offsets

    def on_assigned(self, partitions: Iterable[int]) -> None:
        self.assigned.append(list(partitions))


@dataclass
class MemoryConsumer:
    """A consumer of two partitions."""

    ours: set[int] = field(default_factory=lambda: {0, 1})
    ends: dict[int, int] = field(default_factory=lambda: {0: 10, 1: 20})
    committed: list[dict[int, int]] = field(default_factory=list)
    failure: Exception | None = None

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(TOPIC, p) for p in self.ours}

    def highwater(self, tp: TopicPartition) -> int | None:
        return self.ends.get(tp.partition)

    async def end_offsets(self, ours: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        if self.failure:
            raise self.failure
        return {tp: self.ends[tp.partition] for tp in ours}

    async def position(self, tp: TopicPartition) -> int:
        return {0: 10, 1: 17}[tp.partition]

    async def commit(self, offsets: Mapping[TopicPartition, Any]) -> None:
        if self.failure:
            raise self.failure
        self.committed.append({tp.partition: offset.offset for tp, offset in offsets.items()})


class RebalancingConsumer(MemoryConsumer):
    """Loses its partitions between two questions."""

    async def position(self, tp: TopicPartition) -> int:
        raise IllegalStateError(f"{tp} is not assigned")


@dataclass
class Bench:
    """A subscription with a consumer in memory."""

    handler: KeepingHandler = field(default_factory=KeepingHandler)
    consumer: MemoryConsumer = field(default_factory=MemoryConsumer)
    page: ForecastPage = field(default_factory=lambda: ForecastPage(TARGETS, LEVELS))

    def __post_init__(self) -> None:
        kafka = KafkaSettings(topic_prefix="t-")
        self.subscription = Subscription(build_broker(kafka, "test"), self.handler, self.page)
        self.subscription.subscribe(kafka, InferenceSettings())
        self.subscription._subscriber.consumer = self.consumer

    async def receive(self, *records: ReadRecord) -> None:
        message: Any = SimpleNamespace(raw_message=records, consumer=self.consumer)
        await self.subscription._on_batch(message)


async def test_a_batch_is_handed_over_with_what_is_queued_behind_it_and_committed_afterwards() -> None:
    bench = Bench()
    bench.handler.offsets = {0: 8, 1: 20}
    await bench.receive(read(6, window("a"), 0), read(7, window("b"), 0), ReadRecord(19, b"{", 1))
    assert bench.handler.handed == [([6, 7, 19], {0: 2, 1: 0})]
    assert bench.consumer.committed == [{0: 8, 1: 20}]
    assert bench.subscription.batches == 1


async def test_what_is_queued_is_counted_from_the_last_record_of_each_partition() -> None:
    bench = Bench()
    await bench.receive(*[ReadRecord(offset, b"{", 0, topic=TOPIC) for offset in (6, 7)], ReadRecord(4, b"{", 5))
    assert bench.handler.handed == [([6, 7, 4], {0: 2, 5: 0})]


async def test_while_windows_are_held_nothing_is_committed() -> None:
    bench = Bench()
    await bench.receive(ReadRecord(6, b"{"))
    assert bench.consumer.committed == []


async def test_a_failure_is_kept_and_nothing_is_handed_over_after_it() -> None:
    bench = Bench()
    bench.handler.failure = ZeroDivisionError("a bug")
    await bench.receive(ReadRecord(6, b"{"))
    bench.handler.failure = None
    await bench.receive(ReadRecord(7, b"{"))
    await bench.subscription.tick()
    assert bench.handler.handed == []
    assert bench.consumer.committed == []
    with pytest.raises(ZeroDivisionError, match="a bug"):
        bench.subscription.failed.result()


async def test_partitions_that_are_no_longer_ours_are_not_committed() -> None:
    bench = Bench(consumer=MemoryConsumer(ours={1}))
    bench.handler.offsets = {0: 8, 1: 20}
    await bench.receive(ReadRecord(6, b"{"))
    assert bench.consumer.committed == [{1: 20}]


@pytest.mark.parametrize("error", [CommitFailedError(), IllegalStateError(), NodeNotReadyError(), KafkaError()])
async def test_a_commit_that_fails_only_means_that_more_is_read_again(error: Exception) -> None:
    bench = Bench(consumer=MemoryConsumer(failure=error))
    bench.handler.offsets = {0: 8}
    await bench.receive(ReadRecord(6, b"{"))
    bench.consumer.failure = None
    await bench.receive(ReadRecord(7, b"{"))
    assert bench.consumer.committed == [{0: 8}]


async def test_a_tick_commits_what_the_handler_gives_back() -> None:
    bench = Bench()
    bench.handler.offsets = {1: 3}
    await bench.subscription.tick()
    assert bench.consumer.committed == [{1: 3}]


async def test_a_tick_tells_which_partitions_were_read_to_their_end() -> None:
    bench = Bench()
    await bench.subscription.tick()
    assert bench.handler.ended == [{0}]


async def test_in_the_middle_of_a_rebalance_no_partition_counts_as_read() -> None:
    bench = Bench(consumer=RebalancingConsumer())
    await bench.subscription.tick()
    assert bench.handler.ended == [set()]


async def test_lag_is_what_the_broker_has_beyond_our_position() -> None:
    assert await Bench().subscription.lag() == {0: 0, 1: 3}


async def test_lag_is_unknown_while_the_broker_does_not_answer() -> None:
    assert await Bench(consumer=MemoryConsumer(failure=NodeNotReadyError())).subscription.lag() is None


async def test_without_partitions_there_is_no_lag() -> None:
    assert await Bench(consumer=MemoryConsumer(ours=set())).subscription.lag() == {}


async def test_before_the_start_there_is_neither_lag_nor_anything_to_do() -> None:
    bench = Bench()
    bench.subscription._subscriber.consumer = None
    await bench.subscription.tick()
    assert await bench.subscription.lag() == {}
    assert not bench.subscription.busy


async def test_after_a_rebalance_handler_and_page_know_which_partitions_are_ours() -> None:
    bench = Bench()
    assignment = Assignment(bench.handler, bench.page)
    await assignment.on_partitions_revoked([TopicPartition(TOPIC, 0)])
    await assignment.on_partitions_assigned([TopicPartition(TOPIC, 4), TopicPartition(TOPIC, 1)])
    assert bench.handler.assigned == [[1, 4]]
    assert bench.page._ours == frozenset({1, 4})
