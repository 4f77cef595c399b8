"""A fleet's health in three numbers."""

import numpy as np

from argus_cascade.domain.verdict import Verdict


def share_abnormal(verdict: Verdict) -> float:
    """Of the servers known, 0 … 1."""
    return float(verdict.abnormal.mean()) if len(verdict.servers) else 0.0


def risk(margin: float, *, open_now: bool) -> float:
    """How likely it is that a cascade is under way, 0 … 1.

    Even odds where one is opened, and ten times the odds for each factor of ten by which what is seen is rarer.

    Args:
        margin: orders of magnitude beyond what opens a cascade, < 0 = within.
        open_now: one is open.

    >>> risk(0.0, open_now=False), round(risk(-2.0, open_now=False), 3), risk(-2.0, open_now=True)
    (0.5, 0.01, 1.0)
    """
    return 1.0 if open_now else float(1 / (1 + 10 ** -np.clip(margin, -300, 300)))


def health(share: float, cascade_risk: float) -> float:
    """0 … 100: the share of servers that are well, halved where a cascade is certain.

    >>> health(0.0, 0.0), health(0.1, 1.0)
    (100.0, 45.0)
    """
    return 100.0 * (1 - share) * (1 - cascade_risk / 2)
