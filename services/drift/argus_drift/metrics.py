"""What drift tells Prometheus. Counters are zero from the start."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from argus_common.events import SCORED_LEADS, DriftCleared, DriftDetected, DriftUpdated, Event
from argus_common.forecasts.collector import Taken
from argus_common.forecasts.decode import UNREADABLE
from argus_common.forecasts.ports import FleetKey
from argus_drift.ports import Shown

STEPS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5)
STATES, SCOPES = ("learning", "watched", "drifted"), ("server", "profile", "fleet")
BY_LEAD = {
    "error_rate": ("prediction_error_rate", "PER: pinball loss over that of the reference; 1 = as good as then."),
    "coverage": ("coverage", "Share of values inside the 10-90 % band."),
    "pit_distance": ("pit_distance", "Distance of the PITs from uniform, 0 = calibrated."),
    "pinball": ("pinball", "Mean pinball loss of a day, in the target's unit."),
}
BY_TARGET = {
    "anomaly_rate": ("anomaly_rate", "Share of values outside of what was 98 % sure; 0.02 = as it should be."),
    "distribution_shift": ("distribution_shift", "DSS: mean difference of the distribution functions; 0 = none."),
    "mean_shift": ("mean_shift", "FDS: of the mean, in the reference's deviations."),
    "deviation_ratio": ("deviation_ratio", "FDS: deviation over that of the reference; 1 = none."),
}


def kind_of(event: type[Event]) -> str:
    """``detected``, ``updated`` or ``cleared``."""
    return event.__name__.removeprefix("Drift").lower()


class DriftMetrics:
    """The metric catalogue of this service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._told_lag: set[int] = set()
        self._work(registry)
        self._servers = Gauge("argus_drift_servers", "Servers, by state.", ["fleet", "state"], registry=registry)
        self._open = Gauge("argus_drift_open", "Drifts that are open.", ["fleet", "scope"], registry=registry)
        labels = ["fleet", "profile", "target"]
        self._by_lead = {
            name: Gauge(f"argus_drift_{metric}", text, [*labels, "lead"], registry=registry)
            for name, (metric, text) in BY_LEAD.items()
        }
        self._by_target = {
            name: Gauge(f"argus_drift_{metric}", text, labels, registry=registry)
            for name, (metric, text) in BY_TARGET.items()
        }

    def _work(self, registry: CollectorRegistry) -> None:
        words: dict[Taken, tuple[str, str]] = {
            "taken": ("forecasts", "Forecasts that became part of a step."),
            "late": ("late_forecasts", "Forecasts that came after their step was over, and were left out."),
            "repeated": ("repeated_forecasts", "Forecasts that were read before."),
        }
        self.taken = {
            what: Counter(f"argus_drift_{name}", text, registry=registry) for what, (name, text) in words.items()
        }
        self.dead_letters = Counter(
            "argus_drift_dead_letters", "Forecasts that could not be read, by reason.", ["reason"], registry=registry
        )
        self._events = Counter("argus_drift_events", "Events published, by type.", ["type"], registry=registry)
        self.step = Histogram("argus_drift_step_seconds", "One step of one fleet.", buckets=STEPS, registry=registry)
        self.last_step = Gauge(
            "argus_drift_last_step_timestamp_seconds", "End of the last step.", ["fleet"], registry=registry
        )
        self._lag = Gauge(
            "argus_drift_lag_records", "Forecasts not read yet, by partition.", ["partition"], registry=registry
        )
        for reason in UNREADABLE:
            self.dead_letters.labels(reason)
        for kind in (DriftDetected, DriftUpdated, DriftCleared):
            self._events.labels(kind_of(kind))

    def told(self, events: Iterable[Event], published_ms: Iterable[int], now_ms: int) -> None:  # noqa: ARG002
        """Count events that are acknowledged; how long that took says little of what is told by the hour."""
        for event in events:
            self._events.labels(kind_of(type(event))).inc()

    def show(self, fleets: Mapping[FleetKey, Shown]) -> None:
        """Show the fleets that are ours, and nothing of any other fleet."""
        for gauge in (self._servers, self._open, *self._by_lead.values(), *self._by_target.values()):
            gauge.clear()
        for (fleet, _), shown in fleets.items():
            for state in STATES:
                self._servers.labels(fleet, state).set(shown.states.get(state, 0))
            for scope in SCOPES:
                self._open.labels(fleet, scope).set(shown.open.get(scope, 0))
            for profile, figures in shown.figures.items():
                for t, target in enumerate(shown.targets):
                    self._show_target((fleet, profile, target), figures, t)

    def _show_target(self, labels: tuple[str, str, str], figures: Any, t: int) -> None:  # noqa: ANN401 - by name
        """What can't be told is not shown."""
        for name, gauge in self._by_target.items():
            value = getattr(figures, name)[t]
            if np.isfinite(value):
                gauge.labels(*labels).set(float(value))
        for name, gauge in self._by_lead.items():
            for k, lead in enumerate(SCORED_LEADS):
                value = getattr(figures, name)[t, k]
                if np.isfinite(value):
                    gauge.labels(*labels, str(lead)).set(float(value))

    def show_lag(self, lag: Mapping[int, int]) -> None:
        """Show the lag of the partitions that are ours, and of no other."""
        for partition in self._told_lag - lag.keys():
            self._lag.remove(str(partition))  # another replica tells it now
        for partition, records in lag.items():
            self._lag.labels(str(partition)).set(records)
        self._told_lag = set(lag)
