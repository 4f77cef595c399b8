"""The metrics topic as a consumer sees it: rebalances, refused commits, and a broker that is away."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError, KafkaError

from argus_common.errors import TransientError
from argus_common.kafka import build_consumer
from argus_common.kafka.source import KafkaSource
from argus_common.settings import KafkaSettings

TOPIC = "argus.metrics.v1"


class FakeConsumer:
    """What the source asks of aiokafka, as it is told to be."""

    def __init__(self) -> None:
        self.partitions = {TopicPartition(TOPIC, 2), TopicPartition(TOPIC, 0)}
        self.positions = {0: 10, 2: 10}
        self.ends = {0: 10, 2: 12}
        self.commits: list[dict[int, int]] = []
        self.fails: KafkaError | None = None
        self.answers = True
        self.committed_at: dict[int, int] = {}
        state = SimpleNamespace(state_value=self.state)
        self._subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=state))

    def assignment(self) -> set[TopicPartition]:
        return self.partitions

    def state(self, tp: TopicPartition) -> SimpleNamespace:
        position = self.positions[tp.partition]
        return SimpleNamespace(has_valid_position=position >= 0, position=position)

    def highwater(self, tp: TopicPartition) -> int | None:
        return self.ends.get(tp.partition)

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[str]]:
        assert timeout_ms > 0
        self._maybe_fail()
        return {TopicPartition(TOPIC, 2): ["record"]}

    async def commit(self, wanted: dict[TopicPartition, tuple[int, str]]) -> None:
        self._maybe_fail()
        self.commits.append({tp.partition: offset for tp, (offset, _) in wanted.items()})

    async def committed(self, tp: TopicPartition) -> int | None:
        self._maybe_fail()
        return self.committed_at.get(tp.partition)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.positions[tp.partition] = offset

    async def seek_to_beginning(self, tp: TopicPartition) -> None:
        self.positions[tp.partition] = 0

    async def end_offsets(self, wanted: list[TopicPartition]) -> dict[TopicPartition, int]:
        self._maybe_fail()
        if not self.answers:
            await asyncio.Event().wait()
        return {tp: self.ends[tp.partition] for tp in wanted}

    async def position(self, tp: TopicPartition) -> int:
        return self.positions[tp.partition]

    def _maybe_fail(self) -> None:
        if self.fails is not None:
            raise self.fails


@pytest.fixture
def consumer() -> FakeConsumer:
    return FakeConsumer()


@pytest.fixture
def source(consumer: FakeConsumer) -> KafkaSource:
    return KafkaSource(consumer, TOPIC, poll_again_seconds=0.0, end_probe_seconds=0.01)


async def test_a_broker_that_is_away_at_the_start_is_a_passing_trouble() -> None:
    settings = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    source = KafkaSource(build_consumer(settings, group="g"), TOPIC)
    with pytest.raises(TransientError):
        await source.start()
    await source.stop()


async def test_batches_come_by_partition_and_a_failing_poll_is_an_empty_one(
    source: KafkaSource, consumer: FakeConsumer
) -> None:
    assert await source.poll(200) == {2: ["record"]}
    consumer.fails = KafkaConnectionError("away")
    assert await source.poll(200) == {}


async def test_only_what_moved_is_committed(source: KafkaSource, consumer: FakeConsumer) -> None:
    for offsets in ({0: 5, 2: 7}, {0: 5, 2: 8}, {0: 5, 2: 8}, {}):
        await source.commit(offsets)
    assert consumer.commits == [{0: 5, 2: 7}, {2: 8}]


@pytest.mark.parametrize("error", [CommitFailedError, IllegalStateError, KafkaConnectionError])
async def test_a_commit_that_was_refused_is_repeated(
    source: KafkaSource, consumer: FakeConsumer, error: Callable[[], KafkaError]
) -> None:
    consumer.fails = error()
    await source.commit({0: 5})
    consumer.fails = None
    await source.commit({0: 5})
    assert consumer.commits == [{0: 5}]


async def test_a_partition_that_comes_back_is_committed_anew(source: KafkaSource, consumer: FakeConsumer) -> None:
    await source.commit({0: 5, 2: 7})
    generation = source.generation
    await source._assignment.on_partitions_revoked([TopicPartition(TOPIC, 0)])
    await source._assignment.on_partitions_assigned([TopicPartition(TOPIC, 0)])
    assert source.generation == generation + 1
    assert source.take_revoked() == {0}
    assert source.take_revoked() == set()
    await source.commit({0: 5, 2: 7})
    assert consumer.commits == [{0: 5, 2: 7}, {0: 5}]


async def test_a_rewind_goes_to_the_committed_offsets_or_to_the_beginning(
    source: KafkaSource, consumer: FakeConsumer
) -> None:
    consumer.committed_at = {2: 7}
    await source.rewind()
    assert consumer.positions == {0: 0, 2: 7}


async def test_a_rewind_in_a_rebalance_leaves_it_to_the_next_holder_and_an_outage_is_told(
    source: KafkaSource, consumer: FakeConsumer
) -> None:
    consumer.fails = IllegalStateError("not assigned")
    await source.rewind()
    assert consumer.positions == {0: 10, 2: 10}
    consumer.fails = KafkaConnectionError("away")
    with pytest.raises(TransientError):
        await source.rewind()


async def test_the_lag_is_what_lies_between_our_position_and_the_end(
    source: KafkaSource, consumer: FakeConsumer
) -> None:
    assert source.assigned() == [0, 2]
    assert source.lag() == {0: 0, 2: 2}
    consumer.positions[0] = -1
    del consumer.ends[2]
    assert source.lag() == {}


async def test_the_broker_tells_which_partitions_are_read_to_their_end(
    source: KafkaSource, consumer: FakeConsumer
) -> None:
    assert await source.read_to_end() == [0]
    consumer.partitions = set()
    assert await source.read_to_end() == []


async def test_a_broker_that_fails_or_does_not_answer_tells_nothing(
    source: KafkaSource, consumer: FakeConsumer
) -> None:
    consumer.fails = KafkaConnectionError("away")
    assert await source.read_to_end() is None
    consumer.fails, consumer.answers = None, False
    assert await source.read_to_end() is None
