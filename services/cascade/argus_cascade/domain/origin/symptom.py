"""How far the course of each server is that of the symptom."""

import numpy as np

from argus_cascade.domain.origin.departures import Departures
from argus_cascade.domain.tick import Floats

LEAST_MATCH = 0.02
"""What a course that has nothing of the symptom's is still worth: the path between them may be unseen."""


def symptom_match(departures: Departures, strength: Floats, row: int) -> Floats:
    """(server,) ``LEAST_MATCH`` … 1, the part of the symptom's course that the server's own course explains.

    ``strength``: (server, metric) how far each departed. ``row``: the server where the symptom was noticed; for
    itself the match is what the best of the others leaves unexplained. Amounts are compared where they are known,
    since a caller's waiting contains that of what it calls (the structural idea of Budhathoki et al., "Causal
    structure-based root cause analysis of outliers", 2022, with weights of 1 along calls); elsewhere the strongest
    metrics of both.
    """
    surprise = departures.surprise
    strongest = surprise[:, np.arange(len(strength)), strength.argmax(axis=1)]
    match = _explained(strongest, strongest[:, row])
    kinds = departures.amount.shape[2]
    if kinds:
        weight = strength[row, -kinds:] / max(float(strength[row].max()), 1e-9)
        each = [_explained(departures.amount[..., k], departures.amount[:, row, k]) * weight[k] for k in range(kinds)]
        told = np.isfinite(departures.amount).any(axis=(0, 2))
        match = np.where(told, np.max(each, axis=0), LEAST_MATCH)
    match[row] = 0.0
    match[row] = 1 - match.max(initial=0.0)
    result: Floats = np.maximum(match, LEAST_MATCH)
    return result


def _explained(course: Floats, target: Floats) -> Floats:
    """(server,) 0 … 1: share of the target's variation that goes with the course, less where the course is smaller."""
    moved, aim = _centred(course), _centred(target[:, None])
    together, own, all_of_it = (moved * aim).sum(axis=0), (moved**2).sum(axis=0), float((aim**2).sum())
    share = np.divide(together**2, own * all_of_it, out=np.zeros_like(own), where=own * all_of_it > 0)
    size = together / all_of_it if all_of_it > 0 else np.zeros_like(own)
    result: Floats = share * np.clip(size, 0.0, 1.0)
    return result


def _centred(course: Floats) -> Floats:
    seen = np.isfinite(course)
    mean = np.where(seen, course, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return np.where(seen, course - mean, 0.0)
