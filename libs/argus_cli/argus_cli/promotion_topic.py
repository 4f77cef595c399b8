"""The models topic, read whole and added to."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from argus_common.errors import MalformedEventError, TransientError
from argus_common.events import (
    Event,
    decode_any,
    encode,
)
from argus_common.kafka.follow import Records, TopicFollower
from argus_common.kafka.outbox import Outbox
from argus_common.lineage import TOPIC_KINDS, ModelEvent, ModelTopicEvent, model_event
from argus_common.settings import KafkaSettings
from argus_common.topics import MODELS

SOURCE = "/argus/cli"
PATIENCE_SECONDS = 15.0


@contextmanager
def _unprinted() -> Iterator[None]:
    """What aiokafka logs meanwhile is not printed; our own error is made of it and tells the reason."""
    logger, silent = logging.getLogger("aiokafka"), logging.NullHandler()
    before, logger.propagate = logger.propagate, False
    logger.addHandler(silent)
    try:
        yield
    finally:
        logger.removeHandler(silent)
        logger.propagate = before


async def events_now(settings: KafkaSettings) -> list[ModelEvent]:
    """Every promotion and rollback, in order; what can't be read decides nothing.

    Raises:
        TransientError: Kafka does not answer in time, or has no models topic.
        ConfigurationError: it refuses our credentials or has a certificate that we do not trust.
    """
    events = []
    for record in await _records(settings):
        try:
            events.append(model_event(record))
        except MalformedEventError:
            continue  # inference counts it and puts it aside
    return [event for event in events if event is not None]


async def told_of(settings: KafkaSettings, model: str) -> list[ModelTopicEvent]:
    """Everything that was told of a model, in order; what can't be read is left out.

    Raises:
        TransientError: Kafka does not answer in time, or has no models topic.
        ConfigurationError: it refuses our credentials or has a certificate that we do not trust.
    """
    found: list[ModelTopicEvent] = []
    for record in await _records(settings):
        with suppress(MalformedEventError):
            found.append(decode_any(TOPIC_KINDS, record))
    return [event for event in found if event.model == model]


async def _records(settings: KafkaSettings) -> Records:
    follower = TopicFollower(settings, MODELS.name, "argus-cli")
    try:
        with _unprinted():
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await follower.read()
    except TimeoutError as error:
        raise TransientError(f"Kafka at {settings.bootstrap_servers} does not answer") from error
    finally:
        await follower.stop()


async def publish(settings: KafkaSettings, event: ModelEvent) -> None:
    """Tell what serves; returns when it is acknowledged.

    Raises:
        TransientError: Kafka does not take it.
    """
    await send(settings, MODELS.name, event)


async def send(settings: KafkaSettings, topic: str, event: Event) -> None:
    """Publish an event; returns when it is acknowledged.

    Raises:
        TransientError: Kafka does not take it.
    """
    outbox = Outbox(settings, "argus-cli")
    await outbox.start()
    try:
        await outbox.send(topic, [encode(event, SOURCE)])
    finally:
        await outbox.stop()
