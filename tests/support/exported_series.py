"""The series that the services export, from their metric modules."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry

from argus_cascade.metrics import BridgeMetrics, CascadeMetrics
from argus_common.ops import build_registry
from argus_drift.metrics import DriftMetrics
from argus_inference.adapters.prometheus_page import FAMILIES
from argus_inference.alert_metrics import AlertMetrics
from argus_inference.metrics import InferenceMetrics
from argus_ingest.metrics import IngestMetrics
from argus_retrainer.metrics import ArchiveMetrics, TrainingMetrics
from argus_simulator.metrics import SimulatorMetrics

ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "info": ("_info",), "gauge": ("",)}
FROM_OUTSIDE = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"}
"""Made by Prometheus, and by its client on Linux."""


def exported() -> set[str]:
    """Names of all series of all services."""
    registry = build_registry("ingest")
    for metrics in (IngestMetrics, CascadeMetrics, BridgeMetrics, DriftMetrics, ArchiveMetrics, TrainingMetrics):
        metrics(registry)
    SimulatorMetrics(registry)
    for with_targets in (InferenceMetrics, AlertMetrics):
        with_targets(registry, ["cpu_used_pct"])
    return {*_series(registry), *FAMILIES, *FROM_OUTSIDE}


def _series(registry: CollectorRegistry) -> Iterator[str]:
    for metric in registry.collect():
        yield from (f"{metric.name}{ending}" for ending in ENDINGS[metric.type])
