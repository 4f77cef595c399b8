"""Which service reads and writes which topics: the source of the least-privilege Kafka ACLs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from argus_common.topics.catalogue import (
    ALERTS,
    CASCADES,
    COMMANDS,
    DEAD_LETTERS,
    DRIFT,
    METRICS,
    MODELS,
    PREDICTIONS,
    SIMULATION,
    TOPICS,
    WINDOWS,
    Topic,
)


@dataclass(frozen=True, slots=True)
class Access:
    """What a user of Kafka may do. ``group``: its consumer group, None where it reads without one."""

    reads: tuple[Topic, ...] = ()
    writes: tuple[Topic, ...] = ()
    creates: tuple[Topic, ...] = ()
    group: str | None = None


ACCESS: Mapping[str, Access] = {
    # Reads windows too: it rebuilds rings that Redis has lost.
    "ingest": Access((METRICS, WINDOWS), (WINDOWS, DEAD_LETTERS), group="argus-ingest"),
    "inference": Access((WINDOWS, COMMANDS, MODELS), (PREDICTIONS, ALERTS, DEAD_LETTERS), group="argus-inference"),
    "cascade": Access((PREDICTIONS, COMMANDS), (CASCADES, DEAD_LETTERS), group="argus-cascade"),
    "drift": Access((PREDICTIONS,), (DRIFT, DEAD_LETTERS), group="argus-drift"),
    "retrainer": Access(
        (WINDOWS, PREDICTIONS, ALERTS, CASCADES, COMMANDS, MODELS), (MODELS, DEAD_LETTERS), group="argus-retrainer"
    ),
    "simulator": Access((COMMANDS,), (METRICS, SIMULATION), creates=(METRICS, SIMULATION, COMMANDS)),
    "topics": Access(creates=TOPICS),
}
"""By service; ``topics`` is ``python -m argus_common.topics``, which creates them."""


@dataclass(frozen=True, slots=True)
class Acl:
    """Allows ``Read``, ``Write`` or ``Create`` on resources of one kind, ``topic`` or ``group``."""

    operation: str
    kind: str
    names: tuple[str, ...]

    def arguments(self) -> list[str]:
        """As ``kafka-acls`` takes it.

        >>> print(*Acl("Read", "topic", ("a", "b")).arguments())
        --operation Read --topic a --topic b
        """
        return ["--operation", self.operation, *(text for name in self.names for text in (f"--{self.kind}", name))]


def acls(access: Access, prefix: str = "") -> Iterator[Acl]:
    """What gives this access and no more; to read or to write includes to describe.

    ``prefix`` is ARGUS_KAFKA_TOPIC_PREFIX.
    """
    for operation, topics in (("Read", access.reads), ("Write", access.writes), ("Create", access.creates)):
        if topics:
            yield Acl(operation, "topic", tuple(prefix + topic.name for topic in topics))
    if access.group:
        yield Acl("Read", "group", (access.group,))
