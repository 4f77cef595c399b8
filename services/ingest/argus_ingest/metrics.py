"""What ingest tells Prometheus. All zero from the start."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from argus_ingest.domain.verdicts import REASONS


class IngestMetrics:
    """The metric catalogue of this service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter("argus_ingest_records", "Kafka records read.", registry=registry)
        self.samples = Counter("argus_ingest_samples", "Samples accepted.", registry=registry)
        self.rejected = Counter(
            "argus_ingest_rejected_samples", "Samples and records refused, by reason.", ["reason"], registry=registry
        )
        self.dead_letters = Counter(
            "argus_ingest_dead_letters",
            "Records sent to the dead-letter topic, by reason.",
            ["reason"],
            registry=registry,
        )
        self.replayed = Counter(
            "argus_ingest_replayed_rows",
            "Rows read again after a restart or rebalance, counted once.",
            registry=registry,
        )
        self.windows = Counter("argus_ingest_windows", "Windows closed and published.", registry=registry)
        self.rebuilt = Counter(
            "argus_ingest_rebuilt_rows", "Ring rows rebuilt from the windows topic.", registry=registry
        )
        self.open_rows = Gauge("argus_ingest_open_rows", "Rows of open steps in memory.", registry=registry)
        self.servers = Gauge("argus_ingest_servers", "Servers known to this replica.", registry=registry)
        self.lag = Gauge(
            "argus_ingest_lag_records",
            "Records not read yet, by position and not by commit.",
            ["partition"],
            registry=registry,
        )
        self.flush = Histogram(
            "argus_ingest_flush_duration_seconds",
            "From closed windows to rings written, events acknowledged and state saved.",
            buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
            registry=registry,
        )
        for reason in REASONS:
            self.rejected.labels(reason)
            self.dead_letters.labels(reason)
