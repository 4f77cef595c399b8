"""What inference tells Prometheus of its alerts."""

import math
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from argus_common.events import AlertEvent, BreachEnded, BreachExpected
from argus_common.levels import Level
from argus_inference.domain.alert_ledger import AlertLedger

OUTCOMES = ("hit", "late", "false", "mitigated", "unknown")
LEVELS = tuple(level for level in Level if level is not Level.HEALTHY)
"""An alert that stands is never healthy."""
LEAD_TIMES = (300, 600, 900, 1800, 3600, 7200, 14_400, 28_800)

Levels = Sequence[Level | None]


class AlertMetrics:
    """The alerts' part of the metric catalogue, and which alerts stand on the servers of this replica."""

    def __init__(self, registry: CollectorRegistry, targets: Iterable[str]) -> None:
        self._targets, self._ledger = tuple(targets), AlertLedger()
        self._standing: dict[str, tuple[int, Levels]] = {}
        self.commands_bad = Counter(
            "argus_inference_unreadable_commands", "Commands for us that could not be read.", registry=registry
        )
        self._counts(registry)
        self._figures(registry)

    def _counts(self, registry: CollectorRegistry) -> None:
        self._open = Gauge(
            "argus_inference_alerts_open", "Alerts that stand, by level.", ["target", "level"], registry=registry
        )
        self._raised = Counter("argus_inference_alerts_raised", "Alerts raised.", ["target"], registry=registry)
        self._ended = Counter(
            "argus_inference_alerts_ended", "Alerts that ended, by outcome.", ["target", "outcome"], registry=registry
        )
        self._lead = Histogram(
            "argus_inference_alert_lead_time_seconds",
            "From the raising of an alert to the crossing of its limit, of hits.",
            ["target"],
            buckets=LEAD_TIMES,
            registry=registry,
        )
        for target in self._targets:
            self._raised.labels(target)
            self._lead.labels(target)
            for outcome in OUTCOMES:
                self._ended.labels(target, outcome)
            for level in LEVELS:
                self._open.labels(target, level.value)

    def _figures(self, registry: CollectorRegistry) -> None:
        self._precision = Gauge(
            "argus_inference_alert_precision_ratio",
            "Hits of hits and false alarms, over the last seven days of event time that this process has seen.",
            ["target"],
            registry=registry,
        )
        self._recall = Gauge(
            "argus_inference_alert_recall_ratio",
            "Hits of hits and late alerts, over the same days.",
            ["target"],
            registry=registry,
        )
        self._false = Gauge(
            "argus_inference_false_alarms_per_server_day",
            "False alarms per server and day, over the same days.",
            ["target"],
            registry=registry,
        )
        for target in self._targets:
            for gauge in (self._precision, self._recall, self._false):
                gauge.labels(target).set(math.nan)

    def watched(self, servers: int, step_seconds: int, end: int) -> None:
        """So many servers were watched for a step that ended at ``end`` (epoch seconds)."""
        self._ledger.watched(servers, step_seconds, end)

    def standing(self, name: str, partition: int, levels: Levels) -> None:
        """The level of each target's alert on a server, None where none stands."""
        if any(level is not None for level in levels):
            self._standing[name] = (partition, levels)
        else:
            self._standing.pop(name, None)

    def told(self, events: Iterable[AlertEvent]) -> None:
        """Count events that are acknowledged."""
        known = [event for event in events if event.target in self._targets]
        self._ledger.add(known)
        for event in known:
            if isinstance(event, BreachExpected):
                self._raised.labels(event.target).inc()
            elif isinstance(event, BreachEnded):
                self._ended.labels(event.target, event.outcome).inc()
                if event.lead_time_seconds is not None:
                    self._lead.labels(event.target).observe(event.lead_time_seconds)

    def retain(self, partitions: Iterable[int]) -> None:
        """Show servers of these partitions only: the others are another replica's."""
        ours = set(partitions)
        self._standing = {name: held for name, held in self._standing.items() if held[0] in ours}
        self.show()

    def show(self) -> None:
        """Bring the gauges up to date."""
        for t, target in enumerate(self._targets):
            found = [levels[t] for _, levels in self._standing.values()]
            for level in LEVELS:
                self._open.labels(target, level.value).set(found.count(level))
            self._precision.labels(target).set(self._ledger.precision(target))
            self._recall.labels(target).set(self._ledger.recall(target))
            self._false.labels(target).set(self._ledger.false_per_server_day(target))
