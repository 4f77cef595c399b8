"""What speaks for each server by itself, before any two are compared."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from argus_cascade.domain.origin.departures import Departures
from argus_cascade.domain.origin.onset import departed_probability, onset_log_odds, persistence_of
from argus_cascade.domain.origin.quantiles import quantiles
from argus_cascade.domain.origin.silence import silence
from argus_cascade.domain.origin.symptom import symptom_match
from argus_cascade.domain.tick import Floats, Steps

LASTS = 0.7
"""Quantile of the steps that tells how far a server departed: a lone value is no departure."""
LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Signs:
    """``odds``: (step, server) of `onset_log_odds`, from the step on that departures count from.

    ``departed``: (server,) 0 … 1; ``strength``: (server,) sigmas ≥ 0 of the metric that departed most; both less
    where the course is not the symptom's. ``match``: (server,) 0 … 1, see `symptom_match`; ones without a symptom.
    """

    odds: Floats
    departed: Floats
    strength: Floats
    match: Floats

    def of(self, rows: Steps) -> Self:
        """Those of some servers."""
        return type(self)(self.odds[:, rows], self.departed[rows], self.strength[rows], self.match[rows])

    @property
    def worth(self) -> Floats:
        """(server,) log of what a candidate is worth if nothing is known of the others."""
        result: Floats = np.log(self.departed + LEAST) + np.log1p(self.strength)
        return result


def signs_of(departures: Departures, symptom: str | None) -> Signs:
    """The signs of every server. A symptom that is none of the servers is not looked for."""
    persistence = 0.0 if departures.since else persistence_of(departures.surprise)
    surprise = np.concatenate([departures.surprise, silence(departures.surprise)[..., None]], axis=2)
    odds = onset_log_odds(surprise, persistence)[departures.since :]
    strength = _lasting(surprise[departures.since :])
    match = np.ones(len(departures.servers))
    if symptom in departures.servers:
        match = symptom_match(departures, strength[:, :-1], departures.servers.index(symptom))
    return Signs(odds, departed_probability(odds) * match, strength.max(axis=1, initial=0.0) * match, match)


def _lasting(surprise: Floats) -> Floats:
    """(server, metric) the departure that a part of the steps reaches; 0 where nothing was seen."""
    result: Floats = np.maximum(quantiles(surprise, LASTS)[0], 0.0)
    return result
