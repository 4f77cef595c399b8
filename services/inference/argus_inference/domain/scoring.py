"""How earlier forecasts did for the step that has just closed."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from argus_forecasting.forecaster import Floats

SCORED_LEADS = (1, 12, 96)

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """(server, target, lead) each, NaN where there was no forecast or no value."""

    pit: Doubles
    residual: Doubles
    pinball: Doubles
    inside: Doubles
    """1 inside the 10 to 90 % band, 0 outside."""


def score(quantiles: Floats, levels: tuple[float, ...], value: Floats) -> Scores:
    """Score forecasts that were made ``SCORED_LEADS`` steps ago.

    Args:
        quantiles: (server, target, lead, level) of the earlier forecasts, NaN = none.
        levels: (level,) rising.
        value: (server, target) what came, NaN = nothing.

    The PIT is the level at which the value lies between the quantiles, linear in between, 0 or 1 beyond the outer
    ones; where quantiles coincide with the value, the middle of the levels they span (A. P. Dawid, "Present position
    and potential developments: some personal views", 1984; randomisation replaced by its mean).
    """
    steps = np.asarray(levels)
    gap = value[:, :, None, None] - quantiles
    missing = np.isnan(gap).any(axis=3)
    pinball = np.maximum(steps * gap, (steps - 1) * gap).mean(axis=3)
    median = int(np.argmin(np.abs(steps - 0.5)))
    low, high = (int(np.argmin(np.abs(steps - level))) for level in (0.1, 0.9))
    inside = (gap[..., low] >= 0) & (gap[..., high] <= 0)
    return Scores(
        np.where(missing, np.nan, _pit(quantiles, steps, value)),
        gap[..., median].astype(np.float64),
        pinball.astype(np.float64),
        np.where(missing, np.nan, inside),
    )


def _pit(quantiles: Floats, steps: Doubles, value: Floats) -> Doubles:
    y = value[:, :, None, None]
    under = (quantiles < y).sum(axis=3)
    upto = (quantiles <= y).sum(axis=3)
    bounds = np.concatenate([[0.0], steps, [1.0]])
    lowest = np.where(under < upto, bounds[np.minimum(under + 1, len(steps))], bounds[under])
    highest = np.where(under < upto, bounds[upto], bounds[under + 1])
    left = np.take_along_axis(quantiles, np.maximum(under - 1, 0)[..., None], axis=3)[..., 0]
    right = np.take_along_axis(quantiles, np.minimum(under, len(steps) - 1)[..., None], axis=3)[..., 0]
    between = (under > 0) & (under < len(steps)) & (under == upto)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(between, (value[:, :, None] - left) / (right - left), 0.5)
    pit: Doubles = lowest + np.clip(np.nan_to_num(share, nan=0.5), 0, 1) * (highest - lowest)
    outside = np.where(under == len(steps), 1.0, 0.0)
    return np.where((under == upto) & ((under == 0) | (under == len(steps))), outside, pit)


@dataclass(slots=True)
class RunningScores:
    """Exponentially weighted coverage and pinball loss per target and lead; a cell counts from its first score."""

    targets: int
    weight: float = 0.02
    """Of a step's mean: fifty steps, about four hours, dominate."""
    coverage: Doubles = field(init=False)
    pinball: Doubles = field(init=False)

    def __post_init__(self) -> None:
        self.coverage = np.full((self.targets, len(SCORED_LEADS)), np.nan)
        self.pinball = np.full((self.targets, len(SCORED_LEADS)), np.nan)

    def add(self, scores: Scores) -> None:
        """Count the scores of a group of servers."""
        self.coverage = self._moved(self.coverage, scores.inside)
        self.pinball = self._moved(self.pinball, scores.pinball)

    def _moved(self, old: Doubles, new: Doubles) -> Doubles:
        known = ~np.isnan(new)
        count = known.sum(axis=0)
        mean = np.where(count > 0, np.where(known, new, 0).sum(axis=0) / np.maximum(count, 1), np.nan)
        moved = np.where(np.isnan(old), mean, old + self.weight * (mean - old))
        return np.where(np.isnan(mean), old, moved)
