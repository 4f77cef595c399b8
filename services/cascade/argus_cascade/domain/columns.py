"""A step's forecasts as columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from argus_cascade.domain.decode import Forecast
from argus_cascade.domain.tick import WITHIN_MINUTES, FleetTick, Floats
from argus_common.errors import ConfigurationError
from argus_common.events import SCORED_LEADS
from argus_common.metrics import Catalogue

SPANS = {f"{m}m" if m < 60 else f"{m // 60}h": i for i, m in enumerate(WITHIN_MINUTES)}
"""Span as events name it (``15m``, ``1h``, ``4h``, ``8h``) → its place among `WITHIN_MINUTES`."""
LEADS = {lead: i for i, lead in enumerate(SCORED_LEADS)}


@dataclass(frozen=True, slots=True)
class Columns:
    """The targets of a catalogue, in its order, and which way each hurts. What forecasts say of others is left out."""

    targets: tuple[str, ...]
    harm: Floats

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        """The columns of ``catalogue``.

        Raises:
            ConfigurationError: it has no target.
        """
        metrics = catalogue.targets()
        if not metrics:
            raise ConfigurationError("no metric of the catalogue is a target: set `target: true` on what is forecast")
        return cls(tuple(metric.name for metric in metrics), np.array([float(metric.harm) for metric in metrics]))

    def tick(self, fleet: str, step: int, step_seconds: int, forecasts: Mapping[str, Forecast]) -> FleetTick:
        """The tick of one step; ``forecasts``: server → its forecast from that step."""
        servers = tuple(sorted(forecasts))
        listed = [forecasts[server] for server in servers]
        width = len(servers), len(self.targets)
        tick = FleetTick(
            fleet,
            step,
            step_seconds,
            servers,
            tuple(one.profile for one in listed),
            self.targets,
            self.harm,
            SCORED_LEADS,
            pit=np.full((*width, len(LEADS)), np.nan),
            residual=np.full((*width, len(LEADS)), np.nan),
            observed=np.array([[one.observed.get(name, np.nan) for name in self.targets] for one in listed], float),
            probability=np.zeros((*width, len(SPANS))),
            crossing=np.full((*width, 3), np.inf),
            risk=np.array([one.risk for one in listed], float),
        )
        places = {name: t for t, name in enumerate(self.targets)}
        for i, one in enumerate(listed):
            _fill(tick, i, one, places)
        return tick


def _fill(tick: FleetTick, i: int, one: Forecast, places: Mapping[str, int]) -> None:
    for score in one.scores:
        t, k = places.get(score.target), LEADS.get(score.lead)
        if t is not None and k is not None:
            tick.pit[i, t, k], tick.residual[i, t, k] = score.pit, score.residual
    for breach in one.breaches:
        t = places.get(breach.target)
        if t is None:
            continue
        for span, probability in breach.probability.items():
            if span in SPANS:
                tick.probability[i, t, SPANS[span]] = probability
        when = breach.time_to_threshold
        tick.crossing[i, t] = [np.inf if p is None else p for p in (when.p10, when.p50, when.p90)]
