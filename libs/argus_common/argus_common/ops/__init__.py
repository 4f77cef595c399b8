"""The small threaded HTTP server every service carries: ``/metrics``, ``/livez``, ``/readyz``."""

from argus_common.ops.health import Health
from argus_common.ops.registry import build_registry
from argus_common.ops.server import OpsServer

__all__ = ["Health", "OpsServer", "build_registry"]
