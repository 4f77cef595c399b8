"""The embedded stack: a real Apache Kafka and a real Redis from Python packages alone."""

from argus_local.stack import Ports, Stack

__all__ = ["Ports", "Stack"]
