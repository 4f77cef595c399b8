"""Spans that are not to be learned from: maintenance, and breaches that someone prevented."""

import numpy as np
import numpy.typing as npt
import polars as pl

from argus_common.errors import ConfigurationError
from argus_forecasting.trace_store import TraceStore


def excluded_steps(spans: pl.DataFrame, store: TraceStore) -> npt.NDArray[np.bool_]:
    """(server, time) True inside a span ``[begin, end)``; a span without a server holds for all of them.

    Raises:
        ConfigurationError: a column is missing.
    """
    missing = {"server", "begin", "end"} - set(spans.columns)
    if missing:
        raise ConfigurationError(f"spans to exclude: no column {', '.join(sorted(missing))}")
    out = np.zeros((len(store.servers), store.length), np.bool_)
    rows = {name: i for i, name in enumerate(store.servers)}
    begins, ends = (spans[name].dt.epoch("s").to_numpy() / store.step_seconds for name in ("begin", "end"))
    for server, begin, end in zip(spans["server"].to_list(), begins.tolist(), ends.tolist(), strict=True):
        first = max(int(np.floor(begin)) - store.first_step, 0)
        last = max(int(np.ceil(end)) - store.first_step, 0)
        if server is None:
            out[:, first:last] = True
        elif server in rows:
            out[rows[server], first:last] = True
    return out
