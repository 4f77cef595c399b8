"""Which version of a model serves, and which one served before it, from the events of the models topic."""

from collections.abc import Iterable
from typing import TypeAlias

from argus_common.errors import MalformedEventError
from argus_common.events import (
    ModelPromoted,
    ModelRejected,
    ModelRolledBack,
    RetrainRefused,
    TrainingFailed,
    TrainingStarted,
    decode,
)
from argus_common.events.codec import Received

ModelEvent: TypeAlias = ModelPromoted | ModelRolledBack
"""What decides which version serves."""
ModelTopicEvent: TypeAlias = ModelEvent | ModelRejected | TrainingStarted | TrainingFailed | RetrainRefused
TOPIC_KINDS: tuple[type[ModelTopicEvent], ...] = (
    ModelPromoted,
    ModelRolledBack,
    ModelRejected,
    TrainingStarted,
    TrainingFailed,
    RetrainRefused,
)
"""Everything that is told on the models topic."""

KINDS: dict[bytes, type[ModelEvent]] = {kind.type.encode(): kind for kind in (ModelPromoted, ModelRolledBack)}


def model_event(record: Received) -> ModelEvent | None:
    """The event in a record of the models topic; None where it is of another kind, which decides nothing.

    Raises:
        MalformedEventError: it has no kind, or can't be read.
    """
    declared = dict(record.headers).get("ce_type")
    if declared is None:
        raise MalformedEventError("wrong_type", "the record has no ce_type, so nobody knows what it says")
    kind = KINDS.get(declared)
    return None if kind is None else decode(kind, record)


def lineage(events: Iterable[ModelEvent], model: str) -> tuple[str, ...]:
    """Versions of ``model`` that were promoted and not rolled back, the serving one last; empty = none serves.

    What an event says of the version before it is believed where that one's own event is gone.

    Args:
        events: in the order of the topic.
        model: whose.
    """
    served: list[str] = []
    for event in events:
        if event.model != model:
            continue
        served = _promoted(served, event) if isinstance(event, ModelPromoted) else _rolled_back(served, event.version)
    return tuple(served)


def _promoted(served: list[str], event: ModelPromoted) -> list[str]:
    if not served and event.previous_version is not None:
        served = [event.previous_version]
    return served if served[-1:] == [event.version] else [*served, event.version]


def _rolled_back(served: list[str], version: str | None) -> list[str]:
    if version is None:
        return []
    known = [i for i, one in enumerate(served[:-1]) if one == version]
    return served[: known[-1] + 1] if known else [version]
