"""Create the catalogue's topics. Existing topics are left as they are: an operator may have changed them."""

from collections.abc import Iterable

from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError, for_code

from argus_common.errors import ConfigurationError, TransientError
from argus_common.kafka.clients import build_admin
from argus_common.kafka.connect import started
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
        TransientError: the broker can't be reached, or can't do it now.
        ConfigurationError: the broker refuses us or a topic; the text has its reason.
    """
    admin = build_admin(settings)
    await started(admin.start, admin.close, settings)
    try:
        copies = settings.replication_factor or min(_USUAL_COPIES, len((await admin.describe_cluster())["brokers"]))
        wanted = [_new_topic(topic, partitions, settings.topic(topic.name), copies) for topic in topics]
        response = await admin.create_topics(wanted)
    except KafkaError as error:
        raise TransientError(f"Kafka at {settings.bootstrap_servers}: {error}") from error
    finally:
        await admin.close()
    _raise_refusals(response.topic_errors)
    return [name for name, code, _ in response.topic_errors if code == _OK]


def _raise_refusals(verdicts: Iterable[tuple[str, int, str | None]]) -> None:
    refused = {name: (for_code(code), text) for name, code, text in verdicts if code not in (_OK, _EXISTS)}
    if refused:
        told = "; ".join(f"{name}: {text or kind.description}" for name, (kind, text) in refused.items())
        passing = all(kind.retriable for kind, _ in refused.values())
        raise (TransientError if passing else ConfigurationError)(f"topics refused by the broker: {told}")


def _new_topic(topic: Topic, partitions: int | None, name: str, copies: int) -> NewTopic:
    count = min(partitions, topic.partitions) if partitions else topic.partitions
    return NewTopic(name, count, copies, topic_configs=topic.configuration())
