"""What services need of a record that holds an event."""

from typing import Protocol

from argus_common.events.codec import Received
from argus_common.kafka.dead_letters import Origin


class EventRecord(Received, Origin, Protocol):
    """Can be decoded, and put among the dead letters where that fails. ``timestamp``: when it was published."""
