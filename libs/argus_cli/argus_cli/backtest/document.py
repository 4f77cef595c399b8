"""Everything that a backtest found, as JSON."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from argus_cli.backtest.replay import Result
from argus_forecasting.backtest.compare import INTERVAL, RESAMPLES
from argus_forecasting.batch import Request
from argus_forecasting.trace_store import TraceStore


def write(out: Path, trace: Path, results: list[Result], request: Request, every: int, store: TraceStore) -> None:
    """Write it; what is not defined is null."""
    document = {
        "trace": trace.name,
        "step_seconds": store.step_seconds,
        "horizon": request.horizon,
        "every": every,
        "quantile_levels": list(request.levels),
        "intervals": {"levels": list(INTERVAL), "drawn_again": "servers and days", "resamples": RESAMPLES},
        "metrics": {result.metric.name: _metric(result) for result in results},
    }
    out.write_text(json.dumps(_finite(document), indent=2, allow_nan=False, ensure_ascii=False))


def _metric(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = {"limit": result.metric.limit, **asdict(result.scores)}
    if result.warnings:
        found["warnings"] = {name: asdict(scores) for name, scores in result.warnings.items()}
        found["alarms"] = {name: asdict(scores) for name, scores in result.alarms.items()}
    if len(result.stretches) > 1:
        found["stretches"] = [{"begin": begin, **asdict(scores)} for begin, scores in result.stretches]
    return found


def _finite(value: Any) -> Any:  # noqa: ANN401 - any plain value
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
