"""What the retrainer tells Prometheus. All zero from the start."""

from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from argus_common.events.training import RefusedReason

REFUSED = get_args(RefusedReason)
ENDED = ("model.promoted", "model.rejected", "model.rolled_back", "training.failed")
BAD_REASONS = ("empty", "invalid_field", "not_json", "wrong_type")


class ArchiveMetrics:
    """The archive."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.windows = Counter("argus_retrainer_archived_windows", "Windows written to the archive.", registry=registry)
        self.files = Counter("argus_retrainer_archive_files", "Files written to the archive.", registry=registry)
        self.compacted = Counter(
            "argus_retrainer_archive_compacted_days", "Days of a fleet made into one file.", registry=registry
        )
        self.dropped = Counter(
            "argus_retrainer_archive_dropped_days", "Days of a fleet that were too old.", registry=registry
        )
        self.dead_letters = Counter(
            "argus_retrainer_dead_letters", "Windows that can't be read, by reason.", ["reason"], registry=registry
        )
        self.bytes = Gauge("argus_retrainer_archive_bytes", "Size of the archive.", registry=registry)
        self.days = Gauge("argus_retrainer_archive_days", "Days of all fleets in the archive.", registry=registry)
        self.lag = Gauge(
            "argus_retrainer_lag_records", "Windows not read yet, by position.", ["partition"], registry=registry
        )
        self.write = Histogram(
            "argus_retrainer_archive_write_seconds",
            "From due windows to durable files.",
            buckets=(0.05, 0.2, 0.5, 1, 2.5, 5, 15, 60, 300),
            registry=registry,
        )
        for reason in BAD_REASONS:
            self.dead_letters.labels(reason)


class TrainingMetrics:
    """Trainings. Of several replicas the active one tells them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.active = Gauge("argus_retrainer_active", "1 where this replica holds the lease.", registry=registry)
        self.training = Gauge("argus_retrainer_training", "1 while a model is trained.", registry=registry)
        self.steps = Gauge("argus_retrainer_training_steps", "Optimiser steps done.", registry=registry)
        self.steps_planned = Gauge(
            "argus_retrainer_training_planned_steps", "Optimiser steps to do.", registry=registry
        )
        self.causes = Gauge("argus_retrainer_pending_causes", "Causes that no training answers yet.", registry=registry)
        self.unreadable = Gauge(
            "argus_retrainer_unreadable_records",
            "Events of other topics that could not be read since this replica is active.",
            registry=registry,
        )
        self.live_ratio = Gauge(
            "argus_retrainer_live_loss_ratio",
            "Loss of the watched version over the statistical forecaster's; NaN = not known.",
            registry=registry,
        )
        self.refused = Counter(
            "argus_retrainer_refused_causes", "Causes that were refused, by reason.", ["reason"], registry=registry
        )
        self.ended = Counter(
            "argus_retrainer_outcomes", "What became of trainings and versions.", ["outcome"], registry=registry
        )
        for reason in REFUSED:
            self.refused.labels(reason)
        for outcome in ENDED:
            self.ended.labels(outcome)
