"""What a forecaster is asked and what it answers, for thousands of series at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Signs = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]

WITHIN_MINUTES = (15, 60, 240, 480)
"""Spans for which breach probabilities are given."""
CROSSING_LEVELS = (0.1, 0.5, 0.9)
"""Quantile levels of the time to threshold."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of the servers that the series belong to; trained models look at it, the statistical one does not.

    ``server``: (series,) row in what follows. ``target``: (series,) column in ``names``, −1 = none of them.
    ``names``: (metric,) what the servers report. ``values``: (server, metric, time) float32, NaN = missing, last
    column = the origin step. ``profile``: (server,) names. ``fleet``: (server, feature) the fleet's aggregate one
    step before the origin (`features.fleet`), NaN = unknown.
    """

    server: Ints
    target: Ints
    names: tuple[str, ...]
    values: Floats
    profile: tuple[str, ...]
    fleet: Floats

    def part(self, rows: slice | Ints) -> "Context":
        """What is known of the servers behind some of the series."""
        servers, index = np.unique(self.server[rows], return_inverse=True)
        profiles = tuple(self.profile[i] for i in servers.tolist())
        return Context(index, self.target[rows], self.names, self.values[servers], profiles, self.fleet[servers])


@dataclass(frozen=True, slots=True)
class Bands:
    """What was learned online of a forecaster's bands (`online.bands`).

    ``leads``: at which it was learned, rising. ``offset``: (…, scored lead, level) how far each quantile is moved, in
    widths of the 10–90 % band. ``usual``: (…, scored lead) that width lately, NaN = unknown.
    """

    leads: tuple[int, ...]
    offset: Floats
    usual: Floats

    def part(self, rows: slice | Ints) -> "Bands":
        """Some of the series."""
        return Bands(self.leads, self.offset[rows], self.usual[rows])


@dataclass(frozen=True, slots=True)
class Trust:
    """How far forecasts can be taken at their word. ``own``: the forecaster's bands. ``statistical``: those of the
    statistical forecaster. ``demoted``: (series,) which it serves in place of a trained model.
    """

    own: Bands
    statistical: Bands
    demoted: Mask

    def part(self, rows: slice | Ints) -> "Trust":
        """Some of the series."""
        return Trust(self.own.part(rows), self.statistical.part(rows), self.demoted[rows])


@dataclass(frozen=True, slots=True)
class SeriesBatch:
    """Histories that end at their origins.

    ``values``: (series, time) float32, NaN = missing, last column = the origin step.
    ``origin_step``: (series,) epoch step number of the last column.
    ``lower``, ``upper``: (series,) legal range, ±inf = unbounded.
    ``limit``: (series,) where it hurts, NaN = no limit. ``harm``: (series,) +1 above it, −1 below it.
    ``context``: the servers behind the series, None = unknown. ``trust``: what was learned online, None = nothing.
    """

    values: Floats
    origin_step: Ints
    step_seconds: int
    lower: Floats
    upper: Floats
    limit: Floats
    harm: Signs
    context: Context | None = None
    trust: Trust | None = None

    def __len__(self) -> int:
        return len(self.values)

    def part(self, rows: slice | Ints) -> "SeriesBatch":
        """Some of its series, with what is known of them and their servers."""
        return replace(
            self,
            values=self.values[rows],
            origin_step=self.origin_step[rows],
            lower=self.lower[rows],
            upper=self.upper[rows],
            limit=self.limit[rows],
            harm=self.harm[rows],
            context=self.context and self.context.part(rows),
            trust=self.trust and self.trust.part(rows),
        )

    @staticmethod
    def plain(values: Floats, origin_step: Ints, step_seconds: int) -> "SeriesBatch":
        """Series without legal ranges and limits."""
        size, infinite = len(values), np.float32(np.inf)
        return SeriesBatch(
            values,
            origin_step,
            step_seconds,
            np.full(size, -infinite),
            np.full(size, infinite),
            np.full(size, np.nan, np.float32),
            np.ones(size, np.int8),
        )


@dataclass(frozen=True, slots=True)
class ForecastBatch:
    """Forecasts of a `SeriesBatch`, in its order.

    ``quantiles``: (series, lead, level) float32, finite, not crossing, within the legal range.
    ``breach_probability``: (series, within) that the limit is crossed at any step within `WITHIN_MINUTES`, NaN = no
    limit. ``time_to_threshold``: (series, 3) minutes from the end of the origin step to the first crossing, at
    `CROSSING_LEVELS`, NaN = not within the horizon. ``observed_share``: (series,) of the history, 0 … 1.
    ``warming_up``: (series,) less history than the forecaster wants. ``raw``: (series, source, scored lead, level) what
    the forecaster, and where it is a trained one the statistical forecaster, would say without anything learned online;
    None where the batch has no trust.
    """

    quantile_levels: tuple[float, ...]
    quantiles: Floats
    breach_probability: Floats
    time_to_threshold: Floats
    observed_share: Floats
    warming_up: Mask = field(default_factory=lambda: np.zeros(0, bool))
    raw: Floats | None = None


def joined(parts: Sequence[ForecastBatch]) -> ForecastBatch:
    """The forecasts of the parts of one batch, at least one, in order."""
    raw = [part.raw for part in parts if part.raw is not None]
    names = [name for name in ForecastBatch.__dataclass_fields__ if name not in ("quantile_levels", "raw")]
    arrays = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    batch = ForecastBatch(parts[0].quantile_levels, *arrays)
    return replace(batch, raw=np.concatenate(raw)) if raw else batch


class Forecaster(Protocol):
    """Anything that forecasts: statistical or trained."""

    @property
    def name(self) -> str:
        """What it is called in events and metrics."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same input may give another forecast."""
        ...

    @property
    def kind(self) -> str:
        """``statistical`` or the model family."""
        ...

    @property
    def history_steps(self) -> int:
        """How many steps it wants to see."""
        ...

    def forecast(self, batch: SeriesBatch, horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
        """Forecast every series for leads 1 … ``horizon``.

        Raises:
            ConfigurationError: the batch has another step length than a trained model.
        """
        ...
