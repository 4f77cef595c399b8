"""Every Kafka client of Argus is built here, so that an unsafe default can't slip in elsewhere.

Producers are idempotent and compress with zstd; consumers never commit by themselves, begin at the earliest record
and survive a slow batch. Topics are provisioned from the catalogue; keep ``auto.create.topics.enable`` off on the
broker, for a consumer that subscribes to a misspelt topic would create it.
"""

import logging
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from argus_common.settings import KafkaSettings, SaslMechanism
from argus_common.tls import tls_context

if TYPE_CHECKING:  # loading it takes as long as all the rest: only who builds a broker does
    from faststream.kafka import KafkaBroker
    from faststream.security import BaseSecurity

LINGER_MS = 20
MAX_BATCH_BYTES = 256 * 1024
"""The default of 16 kB blocks a busy producer on one open batch per partition (measured, kafka-notes)."""
FETCH_BYTES_PER_PARTITION = 4 * 1024 * 1024
MAX_RECORD_BYTES = 1024 * 1024
DURABLE: dict[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "compression_type": "zstd",
    "linger_ms": LINGER_MS,
    "max_batch_size": MAX_BATCH_BYTES,
    "max_request_size": MAX_RECORD_BYTES,
}
"""What everything that is sent is sent with."""
HEARTBEAT_MS = 1000
"""Members learn of a rebalance in a heartbeat, so this is also how long a rebalance takes."""


def _connection(settings: KafkaSettings) -> dict[str, Any]:
    context = tls_context(settings)
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "request_timeout_ms": _milliseconds(settings.request_timeout.total_seconds()),
        "security_protocol": ("SASL_" if settings.sasl_mechanism else "") + ("SSL" if context else "PLAINTEXT"),
        "ssl_context": context,
    }
    if settings.sasl_mechanism:
        options |= {
            "sasl_mechanism": settings.sasl_mechanism.value,
            "sasl_plain_username": settings.username,
            "sasl_plain_password": settings.password.get_secret_value() if settings.password else None,
        }
    return options


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def build_producer(settings: KafkaSettings, client_id: str = "argus") -> AIOKafkaProducer:
    """An idempotent producer with acks=all and zstd; await ``start()`` before use, ``stop()`` flushes."""
    return AIOKafkaProducer(
        **_connection(settings),
        client_id=client_id,
        **DURABLE,
    )


def build_consumer(
    settings: KafkaSettings,
    *topics: str,
    group: str | None,
    client_id: str = "argus",
    max_poll_records: int = 5000,
) -> AIOKafkaConsumer:
    """A consumer that starts at the earliest record and commits only what it is told to."""
    session_ms = _milliseconds(settings.session_timeout.total_seconds())
    return AIOKafkaConsumer(
        *topics,
        **_connection(settings),
        client_id=client_id,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=session_ms,
        rebalance_timeout_ms=2 * session_ms,
        heartbeat_interval_ms=HEARTBEAT_MS,
        max_partition_fetch_bytes=FETCH_BYTES_PER_PARTITION,
        max_poll_records=max_poll_records,
    )


def build_admin(settings: KafkaSettings) -> AIOKafkaAdminClient:
    """An admin client; await ``start()`` and ``close()``."""
    return AIOKafkaAdminClient(**_connection(settings), client_id="argus-admin")


def build_broker(settings: KafkaSettings, client_id: str) -> "KafkaBroker":
    """A FastStream broker with the same durable defaults; topics come from the catalogue, never by accident."""
    from faststream.kafka import KafkaBroker  # noqa: PLC0415

    return KafkaBroker(
        settings.bootstrap_servers.split(","),
        client_id=client_id,
        security=_security(settings),
        request_timeout_ms=_milliseconds(settings.request_timeout.total_seconds()),
        **DURABLE,
        allow_auto_create_topics=False,
        logger=logging.getLogger("argus.broker"),
        log_level=logging.DEBUG,  # the framework tells every batch otherwise
    )


def _security(settings: KafkaSettings) -> "BaseSecurity | None":
    from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512  # noqa: PLC0415

    context = tls_context(settings)
    if settings.sasl_mechanism is None:
        return BaseSecurity(use_ssl=True, ssl_context=context) if context else None
    kinds: dict[SaslMechanism, type[SASLPlaintext | SASLScram256 | SASLScram512]] = {
        SaslMechanism.PLAIN: SASLPlaintext,
        SaslMechanism.SCRAM_SHA_256: SASLScram256,
        SaslMechanism.SCRAM_SHA_512: SASLScram512,
    }
    password = settings.password.get_secret_value() if settings.password else ""
    return kinds[settings.sasl_mechanism](
        username=settings.username or "", password=password, use_ssl=context is not None, ssl_context=context
    )
