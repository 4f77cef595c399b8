"""A line of ``argus models history``: what happened to a version, and why."""

from argus_common.events import (
    GateResult,
    ModelPromoted,
    ModelRejected,
    ModelRolledBack,
    TrainingCause,
    TrainingFailed,
    TrainingStarted,
)
from argus_common.lineage import ModelTopicEvent


def row(event: ModelTopicEvent) -> tuple[str, str, str, str]:
    """When, version, what, why."""
    version, what, why = _told(event)
    return f"{event.time():%Y-%m-%d %H:%M}", version, what, why


def _told(event: ModelTopicEvent) -> tuple[str, str, str]:
    if isinstance(event, TrainingStarted):
        return event.version, "training began", "; ".join(_cause(cause) for cause in event.causes)
    if isinstance(event, TrainingFailed):
        return event.version, f"[yellow]training failed[/]: {event.reason}", event.detail
    if isinstance(event, ModelRejected):
        return event.version, "[yellow]rejected[/]", _gate(event.gate)
    if isinstance(event, ModelPromoted):
        by = f" by {event.by}" if event.by else ""
        why = [text for text in (event.reason, "" if event.gate is None else _gate(event.gate)) if text]
        return event.version, f"[green]promoted[/]{by}", " · ".join(why)
    if isinstance(event, ModelRolledBack):
        again = event.version or "what the settings name"
        return event.withdrawn_version, f"[red]rolled back[/] to {again}", event.reason
    return "", f"refused: {event.reason}", " · ".join(text for text in (_cause(event.cause), event.detail) if text)


def _cause(cause: TrainingCause) -> str:
    return f"{cause.kind}: {cause.reason or cause.id}"


def _gate(gate: GateResult) -> str:
    """The losses that decided, and what was not passed."""
    overall = [
        f"loss {one.ratio:.2f} ({one.low:.2f} to {one.high:.2f}) of the {one.against}'s"
        for one in gate.ratios
        if one.about == "all"
    ]
    failed = [f"not passed: {', '.join(gate.failed())}"] if gate.failed() else []
    return ", ".join([*overall, *failed])
