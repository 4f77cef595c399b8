"""The models topic, read whole and added to."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from argus_common.errors import MalformedEventError, TransientError
from argus_common.events import encode
from argus_common.kafka.follow import TopicFollower
from argus_common.kafka.outbox import Outbox
from argus_common.lineage import ModelEvent, model_event
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
    follower = TopicFollower(settings, MODELS.name, "argus-cli")
    try:
        with _unprinted():
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
