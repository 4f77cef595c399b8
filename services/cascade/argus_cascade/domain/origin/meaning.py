"""What the name of a metric says: the direction in which it hurts, and what adds up along calls."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from argus_cascade.domain.tick import Floats
from argus_common.metrics import Catalogue

_WAITING = re.compile(r"lat(ency)?(_|$)|duration|response_time|(^|_)p(50|75|9\d+)(_|$)")
_FAILING = re.compile(r"(^|_)(error|fail|fault|timeout|exception|drop|retr)")
_SUCCEEDING = re.compile(r"avail|success")
_CALLS = re.compile(r"(^|_)(requests?|calls|workload|rps|qps|tps|ops|throughput)(_|$)")
_MEAN = re.compile(r"average|avg|mean")
_PER_CENT = 100.0


def harm_of(metric: str, catalogue: Catalogue) -> int:
    """+1 high hurts, −1 low hurts, 0 both: as the catalogue says, or as the name does where it knows none."""
    if metric in catalogue:
        return catalogue.get(metric).harm
    if _SUCCEEDING.search(metric):
        return -1
    return 1 if _WAITING.search(metric) or _FAILING.search(metric) else 0


@dataclass(frozen=True, slots=True)
class Amounts:
    """Metrics made of others, by their columns: calls × mean waiting, calls × (1 − success)."""

    calls: int
    waiting: int | None
    succeeding: int | None

    def of(self, values: Floats) -> Floats:
        """(step, server, kind) seconds of waiting and failed calls of each step, those of them that can be told."""
        calls = values[..., self.calls]
        found = []
        if self.waiting is not None:
            found.append(_none_where_idle(calls * values[..., self.waiting], calls))
        if self.succeeding is not None:
            share = values[..., self.succeeding]
            whole = _PER_CENT if np.nanmax(share, initial=0.0) > 1 else 1.0
            found.append(_none_where_idle(calls * (1 - share / whole), calls))
        return np.stack(found, axis=-1)


def amounts_of(metrics: Sequence[str]) -> Amounts | None:
    """Which amounts can be made of these metrics; None = no calls are counted, or nothing else is known of them."""
    calls = _first(metrics, _CALLS)
    if calls is None:
        return None
    mean = _first([m if _MEAN.search(m) else "" for m in metrics], _WAITING)
    waiting = mean if mean is not None else _first(metrics, _WAITING)
    succeeding = _first(metrics, _SUCCEEDING)
    return None if waiting is None and succeeding is None else Amounts(calls, waiting, succeeding)


def _first(metrics: Sequence[str], pattern: re.Pattern[str]) -> int | None:
    return next((i for i, name in enumerate(metrics) if pattern.search(name)), None)


def _none_where_idle(amount: Floats, calls: Floats) -> Floats:
    """Without calls nobody waits, and no latency is told."""
    return np.where(calls == 0, 0.0, amount)
