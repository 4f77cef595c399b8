"""The topic catalogue: the only place that states names, keys, partitions and retention."""

from argus_common.topics.catalogue import (
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

__all__ = ["COMMANDS", "DEAD_LETTERS", "METRICS", "MODELS", "PREDICTIONS", "SIMULATION", "TOPICS", "WINDOWS", "Topic"]
