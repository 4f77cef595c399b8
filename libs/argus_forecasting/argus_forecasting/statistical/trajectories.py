"""Equally likely trajectories of the horizon for any history, long or short.

Near leads have analogs of their own: what followed within the next hour is known of moments of this very morning, what
followed over eight hours only of older ones.
"""

import numpy as np

from argus_forecasting.forecaster import Floats, Ints, Mask
from argus_forecasting.statistical.analogs import SAMPLES, Candidates, find_analogs
from argus_forecasting.statistical.changes import CHANGES, Changes
from argus_forecasting.statistical.history import History
from argus_forecasting.statistical.paths import Drifting, sample_paths
from argus_forecasting.statistical.warm_up import warm_up_paths

ENOUGH_CANDIDATES = 48
"""Moments with a known future below which a series is still warming up: four hours of five-minute steps."""
SEAMS = (12, 48)
"""Leads after which other analogs go on: an hour and four."""
PATHS = SAMPLES + CHANGES


def trajectories(
    history: History, lower: Floats, upper: Floats, horizon: int, step_seconds: int
) -> tuple[Floats, Mask]:
    """(series, lead, sample) paths within the legal range, and (series,) whether they come from the warm-up."""
    if history.length <= horizon + ENOUGH_CANDIDATES:
        paths, young = warm_up_paths(history, lower, upper, horizon, PATHS), np.ones(len(lower), bool)
    else:
        paths, usable = _joined(history, horizon, step_seconds)
        young = usable < ENOUGH_CANDIDATES
        if young.any():
            some = History(history.filled[young], history.known[young], history.first[young])
            paths[young] = warm_up_paths(some, lower[young], upper[young], horizon, PATHS)
    np.clip(paths, lower[:, None, None], upper[:, None, None], out=paths)
    return paths, young


def _joined(history: History, horizon: int, step_seconds: int) -> tuple[Floats, Ints]:
    """(series, lead, sample) paths, and (series,) how many candidates know the whole horizon.

    At a seam the paths of both sides are put together by their ranks there: one that is high goes on high.
    """
    candidates = Candidates.of(history, horizon, step_seconds)
    drifting, changes = Drifting.of(history), Changes.of(history)
    paths = np.empty((len(history.filled), horizon, PATHS), np.float32)
    begin = 0
    for end in (*(seam for seam in SEAMS if seam < horizon), horizon):
        analogs = find_analogs(candidates, end)
        first = max(begin, 1)
        followed = sample_paths(history, drifting, analogs, first, end), changes.paths(first, end)
        ahead = np.concatenate(followed, axis=1)
        if begin > 0:
            ahead = _in_order_of(paths[:, begin - 1], ahead)
        paths[:, begin:end] = ahead.swapaxes(1, 2)
        begin = end
    return paths, analogs.usable


def _in_order_of(leading: Floats, ahead: Floats) -> Floats:
    """(series, sample, lead) what ``ahead`` holds after its first lead, its samples in the order in which their ranks
    at that lead are those of ``leading`` (series, sample).
    """
    sources = np.argsort(ahead[:, :, 0], axis=1, kind="stable")
    ranks = np.argsort(np.argsort(leading, axis=1, kind="stable"), axis=1)
    taken = np.take_along_axis(sources, ranks, axis=1)
    return ahead[np.arange(len(ahead))[:, None], taken, 1:]
