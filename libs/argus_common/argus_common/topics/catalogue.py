"""Every topic that exists today. Topics of services to come are added with them."""

from dataclasses import dataclass
from datetime import timedelta

from argus_common.events import (
    BreachEnded,
    BreachExpected,
    BreachMitigated,
    BreachUpdated,
    CascadeOpened,
    CascadeResolved,
    CascadeUpdated,
    DriftCleared,
    DriftDetected,
    DriftUpdated,
    Event,
    ForecastIssued,
    MaintenanceScheduled,
    ModelPromoted,
    ModelRejected,
    ModelRolledBack,
    RetrainRefused,
    RetrainRequested,
    ScenarioRequested,
    TrainingCancelRequested,
    TrainingFailed,
    TrainingStarted,
    WindowClosed,
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is provisioned. ``key`` says in words what its records are keyed by. ``compacted``: the newest
    record of each key stays for ever, older ones at least for the retention.
    """

    name: str
    key: str
    partitions: int
    retention: timedelta
    summary: str
    events: tuple[type[Event], ...] = ()
    compacted: bool = False

    def configuration(self) -> dict[str, str]:
        """Broker settings; segments roll often enough for the retention to bite."""
        retention_ms = round(self.retention.total_seconds() * 1000)
        return {
            "retention.ms": "-1" if self.compacted else str(retention_ms),
            "segment.ms": str(max(retention_ms // 24, 600_000)),
            "cleanup.policy": "compact" if self.compacted else "delete",
            **({"min.compaction.lag.ms": str(retention_ms)} if self.compacted else {}),
        }


METRICS = Topic(
    "argus.metrics.v1", "server", 12, timedelta(hours=24), "Samples from producers, in any accepted format."
)
WINDOWS = Topic(
    "argus.windows.v1",
    "server",
    12,
    timedelta(hours=48),
    "One aggregate per server and step.",
    (WindowClosed,),
)
PREDICTIONS = Topic(
    "argus.predictions.v1",
    "fleet",
    12,
    timedelta(hours=24),
    "One forecast per server and origin.",
    (ForecastIssued,),
)
ALERTS = Topic(
    "argus.alerts.v1",
    "server",
    6,
    timedelta(days=30),
    "Limits that will probably be crossed, or are, and how each of these alerts ended.",
    (BreachExpected, BreachUpdated, BreachEnded),
)
CASCADES = Topic(
    "argus.cascades.v1",
    "fleet",
    6,
    timedelta(days=30),
    "Servers that turn abnormal together: where it began, who follows, and that it is over.",
    (CascadeOpened, CascadeUpdated, CascadeResolved),
)
DRIFT = Topic(
    "argus.drift.v1",
    "fleet",
    6,
    timedelta(days=30),
    "Servers whose behaviour changed for good, what that does to their forecasts, and that it is over.",
    (DriftDetected, DriftUpdated, DriftCleared),
)
MODELS = Topic(
    "argus.models.v1",
    "model name; of what does not decide what serves, name/…",
    1,
    timedelta(days=90),
    "Which version of a model serves: the newest event of its name says it. And how versions came about.",
    (ModelPromoted, ModelRolledBack, ModelRejected, TrainingStarted, TrainingFailed, RetrainRefused),
    compacted=True,
)
COMMANDS = Topic(
    "argus.commands.v1",
    "target service",
    1,
    timedelta(days=7),
    "Requests to services.",
    (ScenarioRequested, BreachMitigated, MaintenanceScheduled, RetrainRequested, TrainingCancelRequested),
)
DEAD_LETTERS = Topic(
    "argus.dlq.v1",
    "source topic",
    3,
    timedelta(days=7),
    "What could not be read: the original bytes, the reason and the origin in headers.",
)
SIMULATION = Topic(
    "argus.simulation.v1",
    "fleet",
    1,
    timedelta(days=7),
    "Ground truth of the simulator: faults, causes, crossings.",
)

TOPICS: tuple[Topic, ...] = (
    METRICS,
    WINDOWS,
    PREDICTIONS,
    ALERTS,
    CASCADES,
    DRIFT,
    MODELS,
    COMMANDS,
    DEAD_LETTERS,
    SIMULATION,
)
