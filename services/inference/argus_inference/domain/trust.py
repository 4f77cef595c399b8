"""What earlier forecasts teach when their step has closed: corrected bands, and who serves a series.

A *source* is a forecaster by name and version: the one that serves and, where it is a trained model, the statistical
forecaster beside it. Each learns from its own forecasts as they were before any correction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from argus_common.events import SCORED_LEADS
from argus_forecasting.forecaster import Bands, Floats, ForecastBatch, Forecaster, Mask, Trust
from argus_forecasting.online.bands import BAND, at_scored_leads, learned
from argus_forecasting.online.contest import Contest, judged
from argus_forecasting.scores import pinball
from argus_forecasting.statistical import AnalogForecaster
from argus_inference.domain.scoring import Doubles
from argus_inference.domain.series import Targets
from argus_inference.domain.trust_rows import packed, row_width, unpacked

PATIENCE = 64
"""Servers after which a fleet's offsets are half forgotten."""


def sources_of(forecaster: Forecaster) -> tuple[str, ...]:
    """Who is scored: the forecaster that serves, then the statistical one if that is another."""
    own = f"{forecaster.name}@{forecaster.version}"
    statistical = f"{AnalogForecaster.name}@{AnalogForecaster.version}"
    return (own,) if forecaster.kind == "statistical" else (own, statistical)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of servers when a step closes.

    ``rows``: (source, server, number) what was learned before, NaN = nothing. ``settled``: (source, server) the row is
    of this very step, which is told again. ``due``: (source, server, target, scored lead, level) what was forecast for
    the step, before any correction, NaN = nothing.
    """

    rows: Floats
    settled: Mask
    due: Floats

    @staticmethod
    def nothing(sources: int, servers: int, targets: int, levels: int) -> "Remembered":
        """Nothing at all."""
        return Remembered(
            np.full((sources, servers, row_width(targets, levels)), np.nan, np.float32),
            np.zeros((sources, servers), bool),
            np.full((sources, servers, targets, len(SCORED_LEADS), levels), np.nan, np.float32),
        )


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is known of servers once their step was scored.

    ``rows``: as in `Remembered`, to be kept. ``bands``: per source, its series server by server and target by target.
    ``demoted``: (server, target) the statistical forecaster serves. ``loss``: (source, server, target, scored lead)
    pinball loss with the correction of today. ``inside``: (server, target, scored lead) 1 where the value lay within
    the uncorrected band of the forecaster that serves, NaN = not scored.
    """

    rows: Floats
    bands: tuple[Bands, ...]
    demoted: Mask
    loss: Doubles
    inside: Doubles

    def trust(self) -> Trust:
        """What a forecaster is told."""
        return Trust(self.bands[0], self.bands[-1], self.demoted.reshape(-1))


@dataclass(slots=True)
class FleetOffsets:
    """Mean offsets of a fleet's servers by (fleet, source): where a series begins, and what it is drawn to."""

    _means: dict[tuple[str, str], Floats] = field(default_factory=dict)

    def of(self, fleet: str, source: str, like: Bands, targets: int) -> Floats:
        """(series, scored lead, level); zero where nothing was learned yet."""
        shape = (targets, *like.offset.shape[1:])
        mean = self._means.get((fleet, source), np.zeros(shape, np.float32))
        return np.tile(mean, (len(like.offset) // targets, 1, 1))

    def add(self, fleet: str, source: str, bands: Bands, targets: int) -> None:
        """Count a group of its servers."""
        offset = bands.offset.reshape(-1, targets, *bands.offset.shape[1:])
        known = ~np.isnan(bands.usual).reshape(-1, targets, bands.usual.shape[1], 1)
        count = known.sum(axis=0)
        mean = np.where(known, offset, 0).sum(axis=0) / np.maximum(count, 1)
        before = self._means.get((fleet, source))
        share = np.where(count > 0, 1.0, 0.0) if before is None else count / (count + PATIENCE)
        self._means[fleet, source] = (share * mean + (1 - share) * (0 if before is None else before)).astype(np.float32)


def lesson(
    before: Remembered,
    value: Floats,
    fleet: str,
    sources: Sequence[str],
    offsets: FleetOffsets,
    targets: Targets,
    levels: tuple[float, ...],
) -> Lesson:
    """Score what was due for ``value`` (server, target), NaN = nothing, and learn from it once."""
    servers, size = value.shape
    losses, states = [], []
    for row, settled, due, source in zip(before.rows, before.settled, before.due, sources, strict=True):
        bands, contest = unpacked(row, size, len(levels))
        usual = offsets.of(fleet, source, bands, size)
        bands = replace(bands, offset=np.where(np.isnan(bands.offset), usual, bands.offset))
        raw, again = due.reshape(bands.offset.shape), np.repeat(settled, size)
        losses.append(_loss(raw, bands, value, targets, levels))
        after = _first(again, bands, learned(bands, raw, levels, value.reshape(-1), usual))
        offsets.add(fleet, source, after, size)
        states.append((after, contest, again))
    loss = np.stack(losses)
    none = Contest.begun(servers * size)
    contest = _contested(states[0][1], states[0][2], loss) if len(states) > 1 else none
    contests = [contest] + [none] * (len(states) - 1)  # the model's own: it is no mark of who was beside it
    return Lesson(
        np.stack([packed(bands, one, servers) for (bands, _, _), one in zip(states, contests, strict=True)]),
        tuple(bands for bands, _, _ in states),
        contest.demoted.reshape(servers, size),
        loss,
        _inside(before.due[0], value, levels),
    )


def beside(before: Remembered, value: Floats, levels: tuple[float, ...]) -> Doubles | None:
    """(source, server, target, scored lead) pinball loss of what each source had forecast, before any correction, NaN =
    nothing; None where a single source forecasts. It does not depend on what was learned, so a step that is told again
    has the same.
    """
    if len(before.due) == 1:
        return None
    truth = np.broadcast_to(value[None, :, :, None], before.due.shape[:-1])
    loss: Doubles = pinball(before.due, levels, truth).mean(axis=-1)
    return loss


def to_be_scored(forecast: ForecastBatch, seen: Mask) -> Floats:
    """(source, server, target, scored lead, level) uncorrected forecasts, NaN where a series was not ``seen``."""
    if forecast.raw is None:
        raise TypeError("a forecaster that is told its trust answers with its uncorrected forecasts")
    raw = np.where(seen.reshape(-1)[:, None, None, None], forecast.raw, np.float32(np.nan))
    return np.moveaxis(raw, 1, 0).reshape(raw.shape[1], *seen.shape, *raw.shape[2:])


def _loss(raw: Floats, bands: Bands, value: Floats, targets: Targets, levels: tuple[float, ...]) -> Doubles:
    """(server, target, scored lead) pinball loss of what was due, with the correction of today."""
    shape = (*value.shape, *raw.shape[1:])
    quantiles = np.sort(at_scored_leads(raw, levels, bands), axis=2).reshape(shape)
    quantiles = np.clip(quantiles, targets.lower()[:, None, None], targets.upper()[:, None, None])
    loss: Doubles = pinball(quantiles, levels, np.broadcast_to(value[:, :, None], shape[:3])).mean(axis=3)
    return loss


def _first(again: Mask, settled: Bands, fresh: Bands) -> Bands:
    """What was learned before where the step is told again, so that it counts once."""
    offset = np.where(again[:, None, None], settled.offset, fresh.offset)
    return replace(fresh, offset=offset, usual=np.where(again[:, None], settled.usual, fresh.usual))


def _contested(before: Contest, again: Mask, loss: Doubles) -> Contest:
    ours, theirs = (one.reshape(len(again), -1).astype(np.float32) for one in loss)
    after = judged(before, ours, theirs)
    return Contest(
        np.where(again, before.evidence, after.evidence),
        np.where(again, before.usual, after.usual),
        np.where(again, before.demoted, after.demoted),
    )


def _inside(due: Floats, value: Floats, levels: tuple[float, ...]) -> Doubles:
    low, high = (due[..., levels.index(level)] for level in BAND)
    within = (value[:, :, None] >= low) & (value[:, :, None] <= high)
    return np.where(np.isnan(value[:, :, None] + low + high), np.nan, within)
