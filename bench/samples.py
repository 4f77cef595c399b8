"""Fleet samples as bytes, made once and sent as they are."""

from collections.abc import Iterator

import msgspec
import numpy as np

from argus_common.metrics import DEFAULT_CATALOGUE

START_MS = 1_735_689_600_000
NAMES = tuple(metric.name for metric in DEFAULT_CATALOGUE.received())

Records = Iterator[tuple[bytes, bytes]]


def wide(servers: int, ticks: int, interval_ms: int = 10_000) -> Records:
    """(key, value): one record with all metrics per server and tick, in time order."""
    rng = np.random.default_rng(1)
    encode = msgspec.json.Encoder().encode
    for tick in range(ticks):
        values = np.round(rng.uniform(0, 30, (servers, len(NAMES))), 2).tolist()
        for server in range(servers):
            body = {
                "server": f"ppweb{server:05d}",
                "timestamp": START_MS + tick * interval_ms,
                "fleet": "default",
                "profile": "web_api",
                "metrics": dict(zip(NAMES, values[server], strict=True)),
            }
            yield body["server"].encode(), encode(body)  # type: ignore[attr-defined]


def single(servers: int, ticks: int, interval_ms: int = 10_000) -> Records:
    """(key, value): one record per sample."""
    rng = np.random.default_rng(2)
    encode = msgspec.json.Encoder().encode
    for tick in range(ticks):
        values = np.round(rng.uniform(0, 30, (servers, len(NAMES))), 2).tolist()
        for server in range(servers):
            name = f"ppweb{server:05d}"
            for metric, value in zip(NAMES, values[server], strict=True):
                body = {"server": name, "timestamp": START_MS + tick * interval_ms, "metric": metric, "value": value}
                yield name.encode(), encode(body)
