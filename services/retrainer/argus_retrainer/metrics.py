"""What the retrainer tells Prometheus. All zero from the start."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

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
