"""What a gate measures: losses over the very same windows, coverage, breach probabilities; and ratios of losses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.events import GateRatio
from argus_forecasting.backtest.compare import Blocks, Ratio, pooled

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

CHALLENGER, CHAMPION, STATISTICAL = "challenger", "champion", "statistical"


@dataclass(frozen=True, slots=True)
class TargetFigures:
    """Of one target. By forecaster: ``loss`` (window,) pinball loss summed over leads; ``inside`` share of values in
    the 10–90 % band; ``brier`` mean over windows and spans, NaN = no limit. ``server``, ``day``: (window,) numbers.
    ``profile``: (window,) names. ``breaches``: windows in which the limit was crossed.
    """

    target: str
    loss: Mapping[str, Doubles]
    inside: Mapping[str, float]
    brier: Mapping[str, float]
    server: Ints
    day: Ints
    profile: npt.NDArray[np.str_]
    breaches: int

    def __len__(self) -> int:
        return len(self.server)


def ratios(figures: Sequence[TargetFigures]) -> list[GateRatio]:
    """The challenger's losses over each other forecaster's: overall, by target, by profile.

    Losses of a target are in units of the statistical forecaster's mean loss of it, so that all targets count alike.
    """
    scaled = [_scaled(one) for one in figures]
    found: list[GateRatio] = []
    for against in (name for name in (CHAMPION, STATISTICAL) if figures and all(name in one.loss for one in figures)):
        found += _kept(against, "all", "", scaled)
        for one in scaled:
            found += _kept(against, "target", one.target, [one])
        for profile in sorted({name for one in scaled for name in one.profile.tolist()}):
            found += _kept(against, "profile", profile, [_of_profile(one, profile) for one in scaled])
    return found


def weighted(figures: Sequence[TargetFigures], shares: str) -> dict[str, float]:
    """Forecaster → mean over all targets' windows of ``inside`` or ``brier``; those not defined are left out."""
    out: dict[str, float] = {}
    for name in figures[0].loss if figures else ():
        pairs = [(float(getattr(one, shares)[name]), len(one)) for one in figures]
        known = [(value, weight) for value, weight in pairs if np.isfinite(value)]
        if known:
            out[name] = float(np.average([v for v, _ in known], weights=[w for _, w in known]))
    return out


def _scaled(one: TargetFigures) -> TargetFigures:
    unit = float(np.nanmean(one.loss[STATISTICAL])) or 1.0
    return _with(one, {name: loss / unit for name, loss in one.loss.items()}, np.ones(len(one), bool))


def _of_profile(one: TargetFigures, profile: str) -> TargetFigures:
    return _with(one, one.loss, one.profile == profile)


def _with(one: TargetFigures, loss: Mapping[str, Doubles], rows: Mask) -> TargetFigures:
    kept = {name: values[rows] for name, values in loss.items()}
    at = one.server[rows], one.day[rows], one.profile[rows]
    return TargetFigures(one.target, kept, one.inside, one.brier, *at, one.breaches)


def _kept(against: str, about: str, name: str, figures: Sequence[TargetFigures]) -> Iterator[GateRatio]:
    ours, theirs, server, day = (
        np.concatenate(parts)
        for parts in zip(*((f.loss[CHALLENGER], f.loss[against], f.server, f.day) for f in figures), strict=True)
    )
    if not len(ours):
        return
    found: Ratio = pooled(ours, theirs, Blocks.of(server, day))
    if np.isfinite([found.value, found.low, found.high]).all():
        told = {"against": against, "about": about, "name": name, "windows": len(ours)}
        yield GateRatio.model_validate(told | {"ratio": found.value, "low": found.low, "high": found.high})
