"""The models topic, read whole and added to."""

import asyncio
import logging

from argus_common.errors import MalformedEventError, TransientError
from argus_common.events import encode
from argus_common.kafka.follow import TopicFollower
from argus_common.kafka.outbox import Outbox
from argus_common.lineage import ModelEvent, model_event
from argus_common.settings import KafkaSettings
from argus_common.topics import MODELS

SOURCE = "/argus/cli"
PATIENCE_SECONDS = 15.0


async def events_now(settings: KafkaSettings) -> list[ModelEvent]:
    """Every promotion and rollback, in order; what can't be read decides nothing.

    Raises:
        TransientError: Kafka does not answer in time, or has no models topic.
        ConfigurationError: it refuses our credentials or has a certificate that we do not trust.
    """
    follower = TopicFollower(settings, MODELS.name, "argus-cli")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the reason is told by our own error
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            records = await follower.read()
    except TimeoutError as error:
        raise TransientError(f"Kafka at {settings.bootstrap_servers} does not answer") from error
    finally:
        await follower.stop()
    events = []
    for record in records:
        try:
            events.append(model_event(record))
        except MalformedEventError:
            continue  # inference counts it and puts it aside
    return [event for event in events if event is not None]


async def publish(settings: KafkaSettings, event: ModelEvent) -> None:
    """Tell it; returns when it is acknowledged.

    Raises:
        TransientError: Kafka does not take it.
    """
    outbox = Outbox(settings, "argus-cli")
    await outbox.start()
    try:
        await outbox.send(MODELS.name, [encode(event, SOURCE)])
    finally:
        await outbox.stop()
