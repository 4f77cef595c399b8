"""Who has stopped reporting."""

import numpy as np

from argus_cascade.domain.tick import Flags, Floats

SILENT_SIGMAS = 4.0
"""What a step of silence says."""
FEWEST_STEPS = 2
"""A step that is missing is no silence yet."""


def silence(surprise: Floats) -> Floats:
    """(step, server) ``SILENT_SIGMAS`` in the steps since which a server has said nothing, else 0.

    Nothing means no metric, until the last step, for longer than the server ever paused before. ``surprise``: (step,
    server, metric), NaN = missing.
    """
    missing: Flags = np.all(np.isnan(surprise), axis=2)
    pause = np.zeros(missing.shape, np.int64)
    for step, row in enumerate(missing):
        pause[step] = np.where(row, (pause[step - 1] if step else 0) + 1, 0)
    last = pause[-1]
    begin = len(missing) - last
    before = np.arange(len(missing))[:, None] < begin
    longest = np.where(before, pause, 0).max(axis=0)
    silent = (last >= FEWEST_STEPS) & (last > longest) & (begin > 0)
    result: Floats = np.where(silent & ~before, SILENT_SIGMAS, 0.0)
    return result
