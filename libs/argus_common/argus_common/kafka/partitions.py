"""Which partitions a topic has, asked without subscribing: who subscribes to a topic that is missing may create it."""

from aiokafka import TopicPartition

from argus_common.kafka.clients import build_admin
from argus_common.kafka.connect import started
from argus_common.settings import KafkaSettings


async def partitions_of(settings: KafkaSettings, topic: str) -> list[TopicPartition]:
    """The partitions of the topic with this name on the broker, in order; none where there is no such topic.

    Raises:
        TransientError: the broker can't be reached.
        KafkaError: it can, but does not answer.
    """
    admin = build_admin(settings)
    await started(admin.start, admin.close, settings)
    try:
        (described,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    return [TopicPartition(topic, p) for p in range(len(described["partitions"]))]
