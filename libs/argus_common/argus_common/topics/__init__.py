"""The topic catalogue: the only place that states names, keys, partitions and retention."""

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

__all__ = [
    "ALERTS",
    "CASCADES",
    "COMMANDS",
    "DEAD_LETTERS",
    "DRIFT",
    "METRICS",
    "MODELS",
    "PREDICTIONS",
    "SIMULATION",
    "TOPICS",
    "WINDOWS",
    "Topic",
]
