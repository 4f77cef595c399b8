"""What inference tells Prometheus beside the forecasts themselves. Counters are zero from the start, scores NaN."""

import math
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from argus_common.events import SCORED_LEADS
from argus_inference.domain.running_trust import RunningTrust
from argus_inference.domain.scoring import RunningScores
from argus_inference.domain.serving import Served

SKIPS = ("superseded", "no_target")
SOURCES = {"model": "model, demoted or not", "statistical": "statistical forecaster beside it"}
UNREADABLE = ("empty", "invalid_field", "not_json", "wrong_type")
SWAPS = ("swapped", "missing", "refused")
DURATIONS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 120)
DELAYS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 120, 300, 900, 3600)


class InferenceMetrics:
    """The metric catalogue of this service."""

    def __init__(self, registry: CollectorRegistry, targets: Iterable[str]) -> None:
        self._targets = tuple(targets)
        self._told: set[int] = set()
        self._work(registry)
        self._delays(registry)
        self._scores(registry)
        self._trust(registry)
        self._models(registry)

    def _work(self, registry: CollectorRegistry) -> None:
        self.windows = Counter("argus_inference_windows", "Windows read.", registry=registry)
        self.skipped = Counter(
            "argus_inference_skipped_windows",
            "Windows that were not forecast from: a newer one was read, or no target was ever observed.",
            ["reason"],
            registry=registry,
        )
        self.forecasts = Counter("argus_inference_forecasts", "Forecasts published.", registry=registry)
        self.withheld = Counter(
            "argus_inference_withheld_series", "Series whose forecast was not finite.", registry=registry
        )
        self.dead_letters = Counter(
            "argus_inference_dead_letters", "Windows that could not be read, by reason.", ["reason"], registry=registry
        )
        self.lag = Gauge(
            "argus_inference_lag_records", "Windows not read yet, by position.", ["partition"], registry=registry
        )
        for reason in SKIPS:
            self.skipped.labels(reason)
        for reason in UNREADABLE:
            self.dead_letters.labels(reason)

    def _models(self, registry: CollectorRegistry) -> None:
        self._model = Info("argus_model", "Which model forecasts.", registry=registry)
        self._created = Gauge(
            "argus_model_created_timestamp_seconds",
            "When the model that forecasts was trained; NaN = it was not.",
            registry=registry,
        )
        self.swaps = Counter(
            "argus_inference_model_swaps",
            "What came of promotions and rollbacks; where it is missing or refused, the old model serves on.",
            ["outcome"],
            registry=registry,
        )
        for outcome in SWAPS:
            self.swaps.labels(outcome)

    def show_model(self, served: Served) -> None:
        """Show which model forecasts, and since when it is."""
        self._model.info(served.label)
        self._created.set(served.created)

    def _delays(self, registry: CollectorRegistry) -> None:
        self.batch = Histogram(
            "argus_inference_batch_duration_seconds",
            "From windows taken to forecasts acknowledged.",
            buckets=DURATIONS,
            registry=registry,
        )
        self.since_step = Histogram(
            "argus_inference_step_to_forecast_seconds",
            "From the end of a step, event time, to its forecast's acknowledgement; large in a replay.",
            buckets=DELAYS,
            registry=registry,
        )
        self.since_window = Histogram(
            "argus_inference_window_to_forecast_seconds",
            "From a window's publication to its forecast's acknowledgement.",
            buckets=DELAYS,
            registry=registry,
        )

    def _scores(self, registry: CollectorRegistry) -> None:
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
        self.naive = Gauge(
            "argus_forecast_naive_pinball_loss",
            "The same of yesterday's value taken for certain: what a forecast must beat.",
            ["target"],
            registry=registry,
        )
        for target in self._targets:
            self.naive.labels(target).set(math.nan)
            for lead in SCORED_LEADS:
                self.coverage.labels(target, str(lead)).set(math.nan)
                self.pinball.labels(target, str(lead)).set(math.nan)

    def _trust(self, registry: CollectorRegistry) -> None:
        self.uncorrected = Gauge(
            "argus_forecast_uncorrected_coverage_ratio",
            "Share of recent values inside the 10 to 90 % band as it was before the online correction.",
            ["target", "lead"],
            registry=registry,
        )
        self.sources = {
            source: Gauge(
                f"argus_forecast_{source}_pinball_loss",
                f"Recent mean pinball loss of the {what}, corrected as of now, in the target's unit.",
                ["target", "lead"],
                registry=registry,
            )
            for source, what in SOURCES.items()
        }
        self.demoted = Gauge(
            "argus_inference_demoted_series",
            "Series that the statistical forecaster serves, since the model was worse lately.",
            ["target"],
            registry=registry,
        )
        for target in self._targets:
            self.demoted.labels(target)
            for lead in SCORED_LEADS:
                for gauge in (self.uncorrected, *self.sources.values()):
                    gauge.labels(target, str(lead)).set(math.nan)

    def show_trust(self, live: RunningTrust) -> None:
        """Show how far forecasts can be trusted. Where the statistical forecaster serves, it is the model too."""
        inside, loss, demoted = live.inside.mean(), live.loss.mean(), live.demoted(len(self._targets))
        for t, target in enumerate(self._targets):
            self.demoted.labels(target).set(int(demoted[t]))
            for k, lead in enumerate(SCORED_LEADS):
                self.uncorrected.labels(target, str(lead)).set(inside[t, k])
                for source, gauge in enumerate(self.sources.values()):
                    gauge.labels(target, str(lead)).set(loss[source, t, k])

    def show_scores(self, running: RunningScores) -> None:
        """Show the live scores."""
        coverage, pinball, naive = running.coverage.mean(), running.pinball.mean(), running.naive.mean()
        for t, target in enumerate(self._targets):
            self.naive.labels(target).set(naive[t])
            for k, lead in enumerate(SCORED_LEADS):
                self.coverage.labels(target, str(lead)).set(coverage[t, k])
                self.pinball.labels(target, str(lead)).set(pinball[t, k])

    def show_lag(self, lag: Mapping[int, int]) -> None:
        """Show the lag of the partitions that are ours, and of no other."""
        for partition in self._told - lag.keys():
            self.lag.remove(str(partition))  # another replica tells it now
        for partition, records in lag.items():
            self.lag.labels(str(partition)).set(records)
        self._told = set(lag)
