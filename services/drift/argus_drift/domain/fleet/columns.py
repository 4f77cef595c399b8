"""A step's forecasts as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from argus_common.events import SCORED_LEADS
from argus_common.forecasts.decode import Forecast
from argus_drift.domain.ranks import Floats

LEADS = len(SCORED_LEADS)
PLACES = {lead: k for k, lead in enumerate(SCORED_LEADS)}
Model = tuple[str, str, bool]
"""Name, version, whether the statistical forecaster stands in for it."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a server's forecast says. ``numbers``: observed (target,), pit and pinball (target, lead), in that order."""

    profile: str
    model: Model
    numbers: Floats


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``observed``: (server, target). ``pit``, ``pinball``: (server, target, lead); NaN = not told."""

    observed: Floats
    pit: Floats
    pinball: Floats


def row_of(forecast: Forecast, targets: Sequence[str]) -> Row:
    """What a forecast says of these targets."""
    places = {name: t for t, name in enumerate(targets)}
    size = len(targets) * LEADS
    numbers = np.full(len(targets) + 2 * size, np.nan, np.float32)
    for name, t in places.items():
        numbers[t] = forecast.observed.get(name, np.nan)
    for score in forecast.scores:
        place, lead = places.get(score.target), PLACES.get(score.lead)
        if place is not None and lead is not None:
            at = len(targets) + place * LEADS + lead
            numbers[at], numbers[at + size] = score.pit, score.pinball
    return Row(forecast.profile, (forecast.model.name, forecast.model.version, forecast.model.demoted), numbers)


def step_of(rows: Mapping[str, Row], places: Mapping[str, int], targets: int) -> Step:
    """The step of all servers; ``places``: server → row. Those that are not among them are left out."""
    numbers = np.full((len(places), targets * (1 + 2 * LEADS)), np.nan, np.float32)
    told = [server for server in rows if server in places]
    if told:
        numbers[[places[server] for server in told]] = np.stack([rows[server].numbers for server in told])
    observed, pit, pinball = np.split(numbers, [targets, targets * (1 + LEADS)], axis=1)
    shape = (len(places), targets, LEADS)
    return Step(observed, pit.reshape(shape), pinball.reshape(shape))
