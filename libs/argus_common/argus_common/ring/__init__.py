"""Rings: the last N steps of a server in one Redis string, written and read for thousands of servers at once."""

from argus_common.ring.layout import RingLayout
from argus_common.ring.store import RingStore

__all__ = ["RingLayout", "RingStore"]
