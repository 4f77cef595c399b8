"""Create the catalogue's topics. Existing topics are left as they are: an operator may have changed them."""

from collections.abc import Iterable

from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError

from argus_common.errors import ConfigurationError, TransientError
from argus_common.kafka.clients import build_admin
from argus_common.settings import KafkaSettings
from argus_common.topics import TOPICS, Topic

_OK, _EXISTS = 0, 36
_USUAL_COPIES = 3
"""Replication where the operator says nothing, on clusters that have so many brokers."""


async def provision(
    settings: KafkaSettings, topics: Iterable[Topic] = TOPICS, *, partitions: int | None = None
) -> list[str]:
    """Create what is missing and return the names that were created.

    Args:
        settings: how to reach the broker.
        topics: what to create.
        partitions: overrides the catalogue's partition counts, for small installations.

    Raises:
        TransientError: the broker can't be reached.
        ConfigurationError: the broker refuses a topic; the text has its reason.
    """
    admin = build_admin(settings)
    try:
        await admin.start()
        copies = settings.replication_factor or min(_USUAL_COPIES, len((await admin.describe_cluster())["brokers"]))
        wanted = [_new_topic(topic, partitions, settings.topic(topic.name), copies) for topic in topics]
        response = await admin.create_topics(wanted)
    except KafkaError as error:
        raise TransientError(f"Kafka at {settings.bootstrap_servers}: {error}") from error
    finally:
        await admin.close()
    refused = [f"{name}: {text or code}" for name, code, text in response.topic_errors if code not in (_OK, _EXISTS)]
    if refused:
        raise ConfigurationError("topics refused by the broker: " + "; ".join(refused))
    return [name for name, code, _ in response.topic_errors if code == _OK]


def _new_topic(topic: Topic, partitions: int | None, name: str, copies: int) -> NewTopic:
    count = min(partitions, topic.partitions) if partitions else topic.partitions
    return NewTopic(name, count, copies, topic_configs=topic.configuration())
