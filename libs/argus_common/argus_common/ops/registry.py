"""The Prometheus registry of a service: its own, with what every process should tell."""

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Info, ProcessCollector


def build_registry(service: str) -> CollectorRegistry:
    """A registry with CPU, memory and file descriptors of this process, and ``argus_build_info``."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    info = Info("argus_build", "Version of the service.", registry=registry)
    info.info({"service": service, "version": version(f"argus-{service}")})
    return registry
