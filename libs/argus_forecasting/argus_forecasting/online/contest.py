"""Whether a trained model still earns its place beside the statistical forecaster, series by series.

A cumulative sum of how much worse the model's losses were than those of the statistical forecaster, in units of the
usual loss and less an allowance; the sum never falls below zero. Where it passes a threshold the model is demoted. Then
a sum of how much it is better begins, and the model returns when that passes the threshold.

References:
    E. S. Page, "Continuous inspection schemes", 1954 (CUSUM). Differences are clipped, so that a single burst decides
    nothing; the threshold was chosen by how often models of equal quality are demoted (this package's README).
"""

from dataclasses import dataclass

import numpy as np

from argus_forecasting.forecaster import Floats, Mask

ALLOWANCE = 0.15
"""Of the usual loss: a model that is worse by less is left in place."""
GRACE = 0.05
"""Of the usual loss: a demoted model that is worse by no more comes back in the end. Between grace and allowance
whoever serves stays: that is the hysteresis.
"""
THRESHOLD = 60.0
"""Usual losses: a model whose losses are twice those of the statistical forecaster is demoted after about 60 steps."""
LARGEST = 3.0
"""Usual losses that one step may count."""
USUAL_RATE = 0.01
"""Weight of the newest losses in the usual one."""


@dataclass(frozen=True, slots=True)
class Contest:
    """``evidence``: (series,) usual losses by which the forecaster that serves was worse. ``usual``: (series,) loss of
    the two, NaN = unknown. ``demoted``: (series,) the statistical forecaster serves.
    """

    evidence: Floats
    usual: Floats
    demoted: Mask

    @staticmethod
    def begun(size: int) -> "Contest":
        """The model serves, and nothing is known."""
        return Contest(np.zeros(size, np.float32), np.full(size, np.nan, np.float32), np.zeros(size, bool))


def judged(before: Contest, model: Floats, statistical: Floats) -> Contest:
    """The contest after another step; a series without both losses stays as it was.

    Args:
        before: the contest so far.
        model: (series, lead) pinball losses of the trained model, NaN = none.
        statistical: (series, lead) of the statistical forecaster, for the same steps.

    >>> contest, one, two = Contest.begun(1), np.ones((1, 1), np.float32), np.full((1, 1), 2, np.float32)
    >>> for _ in range(200):
    ...     contest = judged(contest, two, one)
    >>> bool(contest.demoted[0])
    True
    """
    both = np.isfinite(model) & np.isfinite(statistical)
    ours, theirs = (np.where(both, loss, 0).sum(axis=1) for loss in (model, statistical))
    loss = (ours + theirs) / 2
    known = both.any(axis=1) & (loss > 0)
    usual = np.where(np.isnan(before.usual), loss, before.usual + USUAL_RATE * (loss - before.usual))
    usual = np.where(known, usual, before.usual)
    worse = np.clip((ours - theirs) / np.where(known, usual, 1), -LARGEST, LARGEST)
    worse = np.where(before.demoted, GRACE - worse, worse - ALLOWANCE)
    evidence = np.where(known, np.maximum(before.evidence + worse, 0), before.evidence)
    turned = evidence > THRESHOLD
    return Contest(np.where(turned, 0, evidence).astype(np.float32), usual.astype(np.float32), before.demoted ^ turned)
