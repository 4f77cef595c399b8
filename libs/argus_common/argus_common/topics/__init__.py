"""The topic catalogue: the only place that states names, keys, partitions and retention."""

from argus_common.topics.catalogue import (
    ALERTS,
    COMMANDS,
    DEAD_LETTERS,
    METRICS,
    MODELS,
    PREDICTIONS,
    SIMULATION,
    TOPICS,
    WINDOWS,
    Topic,
)

__all__ = [
    "ALERTS",
    "COMMANDS",
    "DEAD_LETTERS",
    "METRICS",
    "MODELS",
    "PREDICTIONS",
    "SIMULATION",
    "TOPICS",
    "WINDOWS",
    "Topic",
]
