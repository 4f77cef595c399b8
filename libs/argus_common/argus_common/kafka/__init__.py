"""Kafka clients with durable defaults, provisioning, dead letters and retry."""

from argus_common.kafka.clients import build_admin, build_broker, build_consumer, build_producer
from argus_common.kafka.connect import connect

__all__ = ["build_admin", "build_broker", "build_consumer", "build_producer", "connect"]
