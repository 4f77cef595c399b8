"""What the simulator tells Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class SimulatorMetrics:
    """The metric catalogue of this service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.samples = Counter("argus_simulator_samples", "Samples produced.", registry=registry)
        self.records = Counter("argus_simulator_records", "Records produced.", registry=registry)
        self.event_time = Gauge(
            "argus_simulator_event_timestamp_seconds", "Event time of the last tick.", registry=registry
        )
