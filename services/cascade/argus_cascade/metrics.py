"""What cascade tells Prometheus. Counters are zero from the start."""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from argus_cascade.domain.fleet import KINDS, Figures
from argus_cascade.domain.standing import Standing
from argus_common.events import Event
from argus_common.forecasts.collector import CAUSES, Taken
from argus_common.forecasts.decode import UNREADABLE
from argus_common.forecasts.ports import FleetKey
from argus_common.levels import Level

TICKS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
DELAYS = (0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300)
SEVERITIES = tuple(level for level in Level if level is not Level.HEALTHY)
"""A cascade that is open is never healthy."""


def kind_of(event: type[Event]) -> str:
    """``opened``, ``updated`` or ``resolved``."""
    return event.__name__.removeprefix("Cascade").lower()


class CascadeMetrics:
    """The metric catalogue of this service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._told_lag: set[int] = set()
        self._fleets: set[str] = set()
        self._work(registry)
        self._state(registry)

    def _work(self, registry: CollectorRegistry) -> None:
        words: dict[Taken, tuple[str, str]] = {
            "taken": ("forecasts", "Forecasts that became part of a tick."),
            "late": ("late_forecasts", "Forecasts that came after the tick of their step, and were left out."),
            "repeated": ("repeated_forecasts", "Forecasts that were read before."),
        }
        self.taken = {
            what: Counter(f"argus_cascade_{name}", text, registry=registry) for what, (name, text) in words.items()
        }
        self.dead_letters = Counter(
            "argus_cascade_dead_letters", "Forecasts that could not be read, by reason.", ["reason"], registry=registry
        )
        self.commands_bad = Counter(
            "argus_cascade_unreadable_commands", "Maintenances that could not be read.", registry=registry
        )
        self._events = Counter("argus_cascade_events", "Events published, by kind.", ["kind"], registry=registry)
        self.ticks = Counter("argus_cascade_ticks", "Steps, by why they were over.", ["cause"], registry=registry)
        self.tick = Histogram(
            "argus_cascade_tick_duration_seconds", "One step of one fleet.", buckets=TICKS, registry=registry
        )
        self._delay = Histogram(
            "argus_cascade_forecast_to_event_seconds",
            "From a step's newest forecast until all that follows from it is acknowledged; large in a replay.",
            buckets=DELAYS,
            registry=registry,
        )
        self._lag = Gauge(
            "argus_cascade_lag_records", "Forecasts not read yet, by partition.", ["partition"], registry=registry
        )
        for reason in UNREADABLE:
            self.dead_letters.labels(reason)
        for kind in KINDS:
            self._events.labels(kind_of(kind))
        for cause in CAUSES:
            self.ticks.labels(cause)

    def _state(self, registry: CollectorRegistry) -> None:
        self._health = Gauge("argus_cascade_fleet_health", "Of a fleet, 0 to 100.", ["fleet"], registry=registry)
        self._abnormal = Gauge(
            "argus_cascade_abnormal_ratio",
            "Share of servers that are abnormal.",
            ["fleet"],
            registry=registry,
        )
        self._risk = Gauge(
            "argus_cascade_risk_ratio", "How likely a cascade is under way in a fleet.", ["fleet"], registry=registry
        )
        self._watched = Gauge(
            "argus_cascade_watched_servers",
            "Servers that were heard of lately.",
            ["fleet"],
            registry=registry,
        )
        self._open = Gauge("argus_cascade_open", "Cascades that are open.", ["fleet", "severity"], registry=registry)
        self._foretold = Gauge(
            "argus_cascade_foretold_followers",
            "Servers that were foretold to be drawn in and of which is known what came, by that.",
            ["fleet", "outcome"],
            registry=registry,
        )
        self._brier = Gauge(
            "argus_cascade_foretold_followers_brier_ratio",
            "Mean squared error of their probabilities, 0 is best; not there before the first outcome.",
            ["fleet"],
            registry=registry,
        )
        self._silenced = Gauge(
            "argus_cascade_open_silenced", "Of these, those in a maintenance.", ["fleet"], registry=registry
        )

    def told(self, events: Iterable[Event], published_ms: Iterable[int], now_ms: int) -> None:
        """Count events that are acknowledged, and how long that took."""
        for event in events:
            self._events.labels(kind_of(type(event))).inc()
        for ms in published_ms:
            self._delay.observe(max(0, now_ms - ms) / 1000)

    def show(self, fleets: Mapping[FleetKey, tuple[Figures | None, Mapping[str, Standing]]]) -> None:
        """Show the fleets that are ours, and nothing of any other fleet."""
        ours = {fleet for fleet, _ in fleets}
        for gone in self._fleets - ours:
            self._forget(gone)
        self._fleets = ours
        for fleet in ours:
            held = [fleets[key] for key in sorted(fleets) if key[0] == fleet]
            self._show_figures(fleet, [figures for figures, _ in held if figures is not None])
            still = [one.event for _, standing in held for one in standing.values() if not one.resolved]
            for level in SEVERITIES:
                self._open.labels(fleet, level.value).set([event.severity for event in still].count(level))
            self._silenced.labels(fleet).set(sum(event.silenced for event in still))

    def _show_figures(self, fleet: str, figures: Sequence[Figures]) -> None:
        """Of the shortest steps, where a fleet has steps of several lengths."""
        for one in figures[:1]:
            self._health.labels(fleet).set(one.health)
            self._abnormal.labels(fleet).set(one.abnormal)
            self._risk.labels(fleet).set(one.risk)
            self._watched.labels(fleet).set(one.watched)
            self._foretold.labels(fleet, "confirmed").set(one.forecasts.confirmed)
            self._foretold.labels(fleet, "withdrawn").set(one.forecasts.withdrawn)
            if one.forecasts.brier is not None:
                self._brier.labels(fleet).set(one.forecasts.brier)

    def show_lag(self, lag: Mapping[int, int]) -> None:
        """Show the lag of the partitions that are ours, and of no other."""
        for partition in self._told_lag - lag.keys():
            self._lag.remove(str(partition))  # another replica tells it now
        for partition, records in lag.items():
            self._lag.labels(str(partition)).set(records)
        self._told_lag = set(lag)

    def _forget(self, fleet: str) -> None:
        for gauge in (self._health, self._abnormal, self._risk, self._watched, self._silenced):
            gauge.remove(fleet)
        for level in SEVERITIES:
            self._open.remove(fleet, level.value)
        for outcome in ("confirmed", "withdrawn"):
            self._foretold.remove(fleet, outcome)
        self._brier.remove(fleet)


class BridgeMetrics:
    """What is told of the way to Alertmanager."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.failures = Counter(
            "argus_cascade_alertmanager_failures", "Times that Alertmanager did not take the alerts.", registry=registry
        )
        self.last_success = Gauge(
            "argus_cascade_alertmanager_last_success_timestamp_seconds",
            "When Alertmanager took alerts last, 0 = not since the start.",
            registry=registry,
        )
