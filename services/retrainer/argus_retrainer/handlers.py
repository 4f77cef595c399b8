"""Records of models, commands, alerts, drift and cascades in; what they mean for retraining folded together."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from argus_common.errors import MalformedEventError
from argus_common.events import (
    BreachEnded,
    BreachMitigated,
    CascadeResolved,
    DriftCleared,
    DriftDetected,
    DriftUpdated,
    Event,
    Headers,
    MaintenanceScheduled,
    RetrainRequested,
    TrainingCancelRequested,
    decode,
)
from argus_common.lineage import TOPIC_KINDS
from argus_retrainer.domain.cascades import OpenCascades
from argus_retrainer.domain.causes import Causes
from argus_retrainer.domain.history import History
from argus_retrainer.domain.spans import Spans

DRIFTS = {event.type: event for event in (DriftDetected, DriftUpdated, DriftCleared)}
CASCADE = "io.argus.cascade."
"""Only the id is read of these: one of a make that is not known yet must keep a training back all the same."""


class TopicRecord(Protocol):
    """What is needed of a Kafka record."""

    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Headers: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102


@dataclass(slots=True)
class Heard:
    """All that the topics tell, for one model. ``unreadable``: records that were left out."""

    model: str
    history: History = field(init=False)
    causes: Causes = field(init=False)
    spans: Spans = field(default_factory=Spans)
    cascades: OpenCascades = field(default_factory=OpenCascades)
    unreadable: int = 0

    def __post_init__(self) -> None:
        self.history, self.causes = History(self.model), Causes(self.model)

    def on_records(self, records: Sequence[TopicRecord]) -> None:
        """Fold records in; what can't be read is dead-lettered by those whom it is meant for, and counted here."""
        for record in records:
            kind = dict(record.headers).get("ce_type", b"").decode(errors="replace")
            try:
                self._on_record(kind, record)
            except MalformedEventError:
                self.unreadable += 1

    def _on_record(self, kind: str, record: TopicRecord) -> None:
        if kind in DRIFTS:
            self.causes.add_drift(decode(DRIFTS[kind], record), record.timestamp)
        elif kind == CascadeResolved.type:
            self.cascades.resolved(_cascade(record))
        elif kind.startswith(CASCADE):
            self.cascades.stands(_cascade(record), record.timestamp)
        elif kind in self._events():
            event, add = self._events()[kind]
            add(decode(event, record))

    def _events(self) -> dict[str, tuple[type[Event], Callable[[Any], None]]]:
        ours = {event.type: (event, self.history.add) for event in TOPIC_KINDS}
        commands = {
            event.type: (event, self.causes.add_command) for event in (RetrainRequested, TrainingCancelRequested)
        }
        spans = {event.type: (event, self.spans.add) for event in (MaintenanceScheduled, BreachMitigated, BreachEnded)}
        return {**ours, **commands, **spans}


def _cascade(record: TopicRecord) -> str:
    """The id of the cascade."""
    try:
        found = json.loads(record.value or b"")
    except ValueError as error:
        raise MalformedEventError("not_json", str(error)) from error
    told = found.get("cascade") if isinstance(found, dict) else None
    if not isinstance(told, str):
        raise MalformedEventError("invalid_field", "no cascade, which tells one from another")
    return told
