"""Counters to rates: the increase per second within a step, resets counted as restarts from zero."""

import numpy as np
import numpy.typing as npt

from argus_ingest.domain.rows import Floats, Ids, Ints, starts_of

Doubles = npt.NDArray[np.float64]


def increase_rate(server: Ids, time_ms: Ints, counter: Floats) -> tuple[Ids, Doubles]:
    """Per server the increase per second over its samples.

    A counter that falls was reset: its new value counts in full (as Prometheus' ``increase`` does, without its
    extrapolation to the window's edges). With fewer than two samples there is no rate.

    Args:
        server: (row,) sorted.
        time_ms: (row,) rising within each server.
        counter: (row,) running totals; NaN is skipped.

    Returns:
        The servers that have a rate, and their rates.
    """
    known = ~np.isnan(counter)
    server, time_ms, value = server[known], time_ms[known], counter[known].astype(np.float64)
    if len(server) == 0:
        return server, value
    starts = starts_of(server[1:] != server[:-1])
    ends = np.concatenate([starts[1:], [len(server)]]) - 1
    change = np.diff(value, prepend=0.0)
    step = np.where(change < 0, value, change)
    step[starts] = 0.0
    elapsed = (time_ms[ends] - time_ms[starts]) / 1000
    enough = ends > starts
    return server[starts][enough], np.add.reduceat(step, starts)[enough] / elapsed[enough]
