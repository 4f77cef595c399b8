"""Retraining as it would have been: each stretch of a trace forecast by a model of what lay before it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from argus_common.metrics import Catalogue
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.trained.forecaster import TrainedForecaster
from argus_forecasting.training.run import Order, Reports, train

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Block:
    """Columns of a store whose origins one model forecasts: ``[begin, end)``."""

    begin: int
    end: int


def blocks(begin: int, end: int, days: int, step_seconds: int) -> Iterator[Block]:
    """Cut ``[begin, end)`` into stretches of so many days; the last one is what is left.

    >>> [(b.begin, b.end) for b in blocks(10, 60, 1, 3600)]
    [(10, 34), (34, 58), (58, 60)]
    """
    length = max(days * DAY_SECONDS // step_seconds, 1)
    for first in range(begin, end, length):
        yield Block(first, min(first + length, end))


def known_at(store: TraceStore, column: int) -> TraceStore:
    """The store as it was when ``column`` had just closed: nothing after it is left."""
    return replace(store, values=store.values[:, :, : column + 1], fleet=store.fleet[:, : column + 1])


def retrained(
    store: TraceStore, catalogue: Catalogue, order: Order, block: Block, folder: Path, reports: Reports
) -> TrainedForecaster:
    """Train on what was known at the block's first origin, under ``folder``, and open what was made.

    Raises:
        ConfigurationError: too little was known then.
    """
    order = replace(order, version=f"{order.version}-{block.begin}")
    place, _ = train(known_at(store, block.begin), catalogue, order, folder, folder / "work", reports)
    return TrainedForecaster.open(place)
