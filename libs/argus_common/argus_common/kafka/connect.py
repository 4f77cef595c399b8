"""Starts Kafka clients and says why one can't connect: aiokafka tells the reason only to its log."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

from argus_common.errors import ArgusError, ConfigurationError, TransientError
from argus_common.settings import KafkaSettings


class Client(Protocol):
    """A producer, a consumer, or a FastStream broker."""

    async def start(self) -> object: ...  # noqa: D102
    async def stop(self) -> object: ...  # noqa: D102


async def connect(client: Client, settings: KafkaSettings) -> None:
    """Start ``client``; one that can't start, or is told not to, is stopped: build another one to try again.

    Raises:
        ConfigurationError: the broker refuses our credentials or has a certificate that we do not trust.
        TransientError: no broker can be reached.
    """
    await started(client.start, client.stop, settings)


async def started(
    start: Callable[[], Awaitable[object]], stop: Callable[[], Awaitable[object]], settings: KafkaSettings
) -> None:
    """`connect` for clients that name their methods otherwise."""
    with _reasons() as reasons:
        try:
            await start()
        except (KafkaError, OSError) as error:
            await stop()
            raise _explained(reasons[-1] if reasons else error, settings) from error
        except asyncio.CancelledError:
            await stop()
            raise


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.reasons: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        arguments = record.args if isinstance(record.args, tuple) else ()
        self.reasons += [argument for argument in arguments if isinstance(argument, BaseException)]


@contextmanager
def _reasons() -> Iterator[list[BaseException]]:
    """The exceptions that aiokafka logs meanwhile."""
    collector, logger = _Collector(), logging.getLogger("aiokafka")
    logger.addHandler(collector)
    try:
        yield collector.reasons
    finally:
        logger.removeHandler(collector)


def _explained(reason: BaseException, settings: KafkaSettings) -> ArgusError:
    kafka = f"Kafka at {settings.bootstrap_servers}"
    if isinstance(reason, SaslAuthenticationFailed):
        return ConfigurationError(
            f"{kafka} refuses user {settings.username!r}: look at ARGUS_KAFKA_USERNAME, ARGUS_KAFKA_PASSWORD and"
            f" ARGUS_KAFKA_SASL_MECHANISM ({reason})"
        )
    if isinstance(reason, UnsupportedSaslMechanismError):
        return ConfigurationError(f"{kafka} has no {settings.sasl_mechanism}: look at ARGUS_KAFKA_SASL_MECHANISM")
    if isinstance(reason, ssl.SSLCertVerificationError):
        return ConfigurationError(
            f"the certificate of {kafka} is not trusted ({reason.verify_message}): look at ARGUS_KAFKA_CA_FILE"
        )
    told = str(reason) or type(reason).__name__
    hint = ""
    if "closed" in told or isinstance(reason, ConnectionResetError):
        hint = "; it hung up at once, so look at ARGUS_KAFKA_TLS and ARGUS_KAFKA_SASL_MECHANISM if this lasts"
    return TransientError(f"{kafka} can't be reached: {told}{hint}")
