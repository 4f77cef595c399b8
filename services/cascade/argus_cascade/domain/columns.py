"""A step's forecasts as columns."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from argus_cascade.domain.pit import smallest_changes
from argus_cascade.domain.tick import WITHIN_MINUTES, FleetTick, Floats
from argus_common.errors import ConfigurationError
from argus_common.events import SCORED_LEADS
from argus_common.forecasts.decode import Forecast
from argus_common.metrics import Catalogue

SPAN_NAMES = tuple(f"{m}m" if m < 60 else f"{m // 60}h" for m in WITHIN_MINUTES)
"""`WITHIN_MINUTES` as events name them: ``15m``, ``1h``, ``4h``, ``8h``."""
LEAD_PLACES = {lead: k for k, lead in enumerate(SCORED_LEADS)}
LEADS, SPANS = len(SCORED_LEADS), len(SPAN_NAMES)
NAN, INFINITE = float("nan"), float("inf")


@dataclass(frozen=True, slots=True)
class Row:
    """What a server's forecast says. ``numbers``: pit, residual (target, lead), probability (target, span), crossing
    (target, 3), observed (target,), risk, one after the other.
    """

    profile: str
    numbers: Floats


@dataclass(frozen=True, slots=True)
class Columns:
    """The targets of a catalogue, in its order, and which way each hurts. What forecasts say of others is left out."""

    targets: tuple[str, ...]
    harm: Floats
    smallest: Floats
    """(target,) change in the target's unit that matters."""

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        """The columns of ``catalogue``.

        Raises:
            ConfigurationError: it has no target.
        """
        metrics = catalogue.targets()
        if not metrics:
            raise ConfigurationError("no metric of the catalogue is a target: set `target: true` on what is forecast")
        names = tuple(metric.name for metric in metrics)
        return cls(names, np.array([float(metric.harm) for metric in metrics]), smallest_changes(names, catalogue))

    def row(self, forecast: Forecast) -> Row:
        """What a forecast says, as numbers. Done as each comes, so that little is left to do once a step is over."""
        targets = len(self.targets)
        places = {name: t for t, name in enumerate(self.targets)}
        pit, residual = [NAN] * (targets * LEADS), [NAN] * (targets * LEADS)
        probability, crossing = [0.0] * (targets * SPANS), [INFINITE] * (targets * 3)
        for score in forecast.scores:
            t, k = places.get(score.target), LEAD_PLACES.get(score.lead)
            if t is not None and k is not None:
                pit[t * LEADS + k], residual[t * LEADS + k] = score.pit, score.residual
        for breach in forecast.breaches:
            t = places.get(breach.target)
            if t is not None:
                probability[t * SPANS : (t + 1) * SPANS] = [breach.probability.get(span, 0.0) for span in SPAN_NAMES]
                when = breach.time_to_threshold
                crossing[t * 3 : (t + 1) * 3] = [INFINITE if p is None else p for p in (when.p10, when.p50, when.p90)]
        observed = [forecast.observed.get(name, NAN) for name in self.targets]
        numbers = np.array([*pit, *residual, *probability, *crossing, *observed, forecast.risk])
        return Row(forecast.profile, numbers)

    def tick(self, fleet: str, step: int, step_seconds: int, rows: Mapping[str, Row]) -> FleetTick:
        """The tick of one step; ``rows``: server → what its forecast from that step says."""
        servers = tuple(sorted(rows))
        numbers = np.array([rows[server].numbers for server in servers])
        shapes = (LEADS,), (LEADS,), (SPANS,), (3,), ()
        parts, begin = [], 0
        for shape in shapes:
            width = len(self.targets) * math.prod(shape)
            parts.append(numbers[:, begin : begin + width].reshape(len(servers), len(self.targets), *shape))
            begin += width
        pit, residual, probability, crossing, observed = parts
        return FleetTick(
            fleet,
            step,
            step_seconds,
            servers,
            tuple(rows[server].profile for server in servers),
            self.targets,
            self.harm,
            self.smallest,
            SCORED_LEADS,
            pit,
            residual,
            observed,
            probability,
            crossing,
            risk=numbers[:, -1],
        )
