"""Open cascades as alerts of Alertmanager's API v2.

An alert is what its labels are: they say which cascade it is and nothing that changes. Everything else is annotation.
So that an escalation can page without forking the alert, a cascade is one alert with ``severity="warning"`` for its
whole life, and once it has been critical a second one with ``severity="critical"`` until its end; Alertmanager's usual
inhibition (critical over warning, equal alertname, fleet and cascade) then hides the first.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from argus_cascade.domain.standing import Standing
from argus_common.durations import told
from argus_common.events import CascadeEvent
from argus_common.events.base import step_time

ALERT_NAME = "ArgusCascade"
LASTS_SECONDS = 300
"""An alert that is not sent again for so long is over: whoever sent it is gone."""
SHOWN = 10
"""Members, origins and followers that an annotation names."""

Alert = dict[str, object]


def alerts_of(standing: Iterable[Standing], now_ms: int, link: str | None = None) -> list[Alert]:
    """What Alertmanager is told. ``link``: of an alert, with ``{fleet}`` and ``{cascade}`` to be filled in."""
    return [_alert(one, severity, now_ms, link) for one in standing for severity in _severities(one)]


def _severities(one: Standing) -> tuple[str, ...]:
    return ("warning", "critical") if one.critical else ("warning",)


def _alert(one: Standing, severity: str, now_ms: int, link: str | None) -> Alert:
    event = one.event
    ends_ms = now_ms + LASTS_SECONDS * 1000 if one.ended_ms is None else one.ended_ms
    begins = step_time(event.opened + 1, event.step_seconds)
    labels = {"alertname": ALERT_NAME, "fleet": event.fleet, "cascade": event.fingerprint, "severity": severity}
    alert: Alert = {
        "labels": labels,
        "annotations": annotations(event),
        "startsAt": _written(min(begins, _moment(ends_ms))),
        "endsAt": _written(_moment(ends_ms)),
    }
    if link is not None:
        alert["generatorURL"] = link.replace("{fleet}", event.fleet).replace("{cascade}", event.fingerprint)
    return alert


def annotations(event: CascadeEvent) -> dict[str, str]:
    """What a person reads."""
    unwell = [member for member in event.members if not member.recovered]
    found = {
        "summary": f"{_KINDS[event.kind]} in {event.fleet}: {len(unwell)} of {len(event.members)} servers are unwell",
        "description": event.message,
        "look_first": event.look_first,
        "severity": event.severity.value,
        "score": f"{event.score:g}",
        "kind": event.kind,
        "cascade": event.cascade,
        "members": _listed(f"{one.server} ({one.target})" for one in event.members),
        "origins": _listed(f"{one.server} ({one.probability:.0%})" for one in event.likely_origins()),
        "followers": _listed(
            f"{one.server} ({one.probability:.0%}, in {told(one.onset_in.p50)})"
            for one in event.followers
            if one.state == "expected"
        ),
    }
    return {name: text for name, text in found.items() if text}


_KINDS = {"propagating": "cascade", "common_cause": "one cause, many servers,"}


def _listed(words: Iterable[str]) -> str:
    named = list(words)
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return ", ".join(named[:SHOWN]) + more


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
