"""The series that the services export, from their metric modules."""

import re
from collections.abc import Iterator

from deploy_settings import ROOT
from prometheus_client import CollectorRegistry

from argus_cascade.metrics import BridgeMetrics, CascadeMetrics
from argus_common.ops import build_registry
from argus_inference.adapters.prometheus_page import FAMILIES
from argus_inference.alert_metrics import AlertMetrics
from argus_inference.metrics import InferenceMetrics
from argus_ingest.metrics import IngestMetrics
from argus_retrainer.metrics import ArchiveMetrics, TrainingMetrics
from argus_simulator.metrics import SimulatorMetrics

ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "info": ("_info",), "gauge": ("",)}
DRIFT = {
    "argus_drift_anomaly_rate",
    "argus_drift_coverage",
    "argus_drift_deviation_ratio",
    "argus_drift_distribution_shift",
    "argus_drift_events_total",
    "argus_drift_last_step_timestamp_seconds",
    "argus_drift_mean_shift",
    "argus_drift_open",
    "argus_drift_pinball",
    "argus_drift_pit_distance",
    "argus_drift_prediction_error_rate",
    "argus_drift_servers",
    "argus_drift_step_seconds_bucket",
}
"""Exported by the drift service, as dashboards and rules name them."""
DRIFT_METRICS = ROOT / "services" / "drift" / "argus_drift" / "metrics.py"
FROM_OUTSIDE = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"}
"""Made by Prometheus, and by its client on Linux."""


def exported() -> set[str]:
    """Names of all series of all services."""
    registry = build_registry("ingest")
    for metrics in (IngestMetrics, CascadeMetrics, BridgeMetrics, ArchiveMetrics, TrainingMetrics, SimulatorMetrics):
        metrics(registry)
    for with_targets in (InferenceMetrics, AlertMetrics):
        with_targets(registry, ["cpu_used_pct"])
    return {*_series(registry), *FAMILIES, *FROM_OUTSIDE, *DRIFT}


def named_by_drift() -> set[str]:
    """Every name of a metric that the drift service's module spells out."""
    return set(re.findall(r"argus_drift_\w+", DRIFT_METRICS.read_text(encoding="utf-8")))


def family(series: str) -> str:
    """What the module of a service calls a series."""
    return re.sub("_(total|bucket)$", "", series)


def _series(registry: CollectorRegistry) -> Iterator[str]:
    for metric in registry.collect():
        yield from (f"{metric.name}{ending}" for ending in ENDINGS[metric.type])
