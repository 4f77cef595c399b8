"""What inference tells Prometheus beside the forecasts themselves. All zero from the start."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

SKIPS = ("superseded", "behind")


class InferenceMetrics:
    """The metric catalogue of this service."""

    def __init__(self, registry: CollectorRegistry, targets: Iterable[str], leads: Iterable[int]) -> None:
        self.windows = Counter("argus_inference_windows", "Windows read.", registry=registry)
        self.skipped = Counter(
            "argus_inference_skipped_windows",
            "Windows not forecast from: a newer one is there.",
            ["reason"],
            registry=registry,
        )
        self.forecasts = Counter("argus_inference_forecasts", "Forecasts published.", registry=registry)
        self.dead_letters = Counter(
            "argus_inference_dead_letters", "Windows that could not be read, by reason.", ["reason"], registry=registry
        )
        self.batch = Histogram(
            "argus_inference_batch_duration_seconds",
            "From windows received to forecasts acknowledged.",
            buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 120),
            registry=registry,
        )
        self.lag = Gauge("argus_inference_lag_records", "Windows not read yet.", ["partition"], registry=registry)
        self.coverage = Gauge(
            "argus_forecast_coverage_ratio",
            "Share of recent values inside the 10 to 90 % band; 0.8 is right.",
            ["target", "lead"],
            registry=registry,
        )
        self.pinball = Gauge(
            "argus_forecast_pinball_loss",
            "Recent mean pinball loss, in the target's unit.",
            ["target", "lead"],
            registry=registry,
        )
        self.model = Info("argus_model", "Which model forecasts.", registry=registry)
        for reason in SKIPS:
            self.skipped.labels(reason)
        for target in targets:
            for lead in leads:
                self.coverage.labels(target, str(lead))
                self.pinball.labels(target, str(lead))
