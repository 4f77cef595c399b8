"""How surprising each value of a trace is, judged by what came before it."""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri_exp

from argus_cascade.domain import tails
from argus_cascade.domain.residuals.relations import VIEWS, Relations
from argus_cascade.domain.tick import Flags, Floats

DAY_SECONDS = 86_400
MEMORY_DAYS = 14
FEWEST = 12
"""Values before the first judgement."""
LONGEST_BLOCK = 20
"""Steps between two lessons; fewer in the beginning."""
LESSON_BOUND = 4.0
"""Values further from the level, in scales, teach level and scale as if they were so far."""
RELATION_BOUND = 5.0
"""The same for what other metrics are expected to be from it."""
YOUNG = 0.5
"""Residuals are remembered for no longer than this share of all time, since the first came of unlearned relations."""
LARGE = 0.5
"""Residuals above this share of `tails.usual` are large."""
MOST = 10.0
"""Residuals beyond so many times `tails.usual` are told as that."""
BY_ITSELF = 0.3
"""Weight of a metric by itself, against 0.7 of it by the others: relations tell more where there are any."""
SMALLEST_SHARE = 0.01
"""A scale is at least this share of the level: smaller changes matter to nobody."""
SMALLEST_RESIDUAL = 0.3
"""`tails.usual` is at least so many scales: what a metric does anyway is no surprise, however well it is explained."""


@dataclass(slots=True)
class Residuals:
    """Of one fleet with these servers and metrics. Feed each step once, in order.

    A metric is judged in two views, by itself and by the others of its server: what moves together stands out in the
    one, a broken relation in the other. How surprising it is, is the weighted mean of both.
    """

    servers: int
    metrics: int
    step_seconds: int
    _level: Floats = field(init=False)
    _variance: Floats = field(init=False)
    _offset: Floats = field(init=False)
    _count: Floats = field(init=False)
    _usual: Floats = field(init=False)
    _relations: Relations = field(init=False)
    _histogram: Floats = field(init=False)
    _run: Floats = field(init=False)
    _block: list[tuple[Floats, ...]] = field(default_factory=list)
    _steps: int = 0
    _lesson: int = 1
    _solution: int = FEWEST

    def __post_init__(self) -> None:
        shape, views = (self.servers, self.metrics), (VIEWS, self.servers, self.metrics)
        self._level, self._usual = np.full(shape, np.nan), np.full(views, np.inf)
        self._variance, self._offset, self._count = np.zeros(shape), np.zeros(views), np.zeros(shape)
        self._relations = Relations(self.servers, self.metrics, self.step_seconds)
        self._histogram, self._run = np.zeros((*views, tails.BINS)), np.zeros(views)

    def observe(self, step: int, values: Floats) -> Floats:
        """(server, metric) z of this step, NaN = no value or too little known.

        Args:
            step: its number since the epoch.
            values: (server, metric), NaN = missing.
        """
        known = ~np.isnan(values)
        self._level = np.where(np.isnan(self._level), values, self._level)
        gap = np.where(known, values - self._level, 0)
        standard = gap / self._scale()
        bounded = np.clip(standard, -RELATION_BOUND, RELATION_BOUND)
        regressors = self._relations.regressors(bounded, step)
        residual = standard - self._relations.expected(regressors) - self._offset
        size = np.clip(residual / self._usual, -MOST, MOST)
        self._note(np.where(known, gap, np.nan), np.where(known, residual, np.nan), regressors, np.abs(size) > LARGE)
        return np.where(known & (self._count >= FEWEST), _standard_normal(_joined(size)), np.nan)

    def _floor(self) -> Floats:
        return np.maximum(SMALLEST_SHARE * np.abs(np.nan_to_num(self._level)), 1e-12)

    def _scale(self) -> Floats:
        return np.maximum(np.sqrt(self._variance), self._floor())

    def _note(self, gap: Floats, residual: Floats, regressors: Floats, large: Flags) -> None:
        """Keep the step for the next lesson, and learn when it is due."""
        self._run = tails.longer(self._run, large)
        self._block.append((gap, residual, regressors, tails.lesson(self._run)))
        self._steps += 1
        if self._steps >= self._lesson:
            self._learn(*(np.stack(parts) for parts in zip(*self._block, strict=True)))
            self._block.clear()
            self._lesson = self._steps + min(max(self._steps // 8, 1), LONGEST_BLOCK)

    def _learn(self, gap: Floats, residual: Floats, regressors: Floats, weights: Floats) -> None:
        day = DAY_SECONDS / self.step_seconds
        seen = (~np.isnan(gap)).sum(axis=0)
        self._count += seen
        rate = seen / np.clip(self._count, 1, MEMORY_DAYS * day)
        moves = (self._count > FEWEST) & (self._variance > self._floor() ** 2)
        bound = np.where(moves, LESSON_BOUND * self._scale(), np.inf)
        gap = np.clip(gap, -bound, bound)
        with np.errstate(invalid="ignore", divide="ignore"):
            shift = np.where(seen > 0, np.nansum(gap, axis=0) / seen, 0)
            spread = np.where(seen > 0, np.nansum(gap**2, axis=0) / seen, self._variance)
            usual = np.minimum(self._usual, RELATION_BOUND)
            drift = np.where(seen > 0, np.nansum(np.clip(residual, -usual, usual), axis=0) / seen, 0)
        self._level = self._level + rate * shift
        self._variance += rate * (spread - self._variance)
        steps = len(gap)
        if self._steps > FEWEST:
            self._offset += rate * drift
            share = steps / min(self._steps, MEMORY_DAYS * day)
            self._relations.learn(regressors, share)
            self._learn_tails(np.abs(residual), weights, 1 - steps / min(MEMORY_DAYS * day, YOUNG * self._steps))
        if self._steps >= self._solution:
            self._relations.solve()
            self._solution = self._steps + int(min(max(self._steps // 10, LONGEST_BLOCK), day // 4))

    def _learn_tails(self, sizes: Floats, weights: Floats, keep: float) -> None:
        histogram = self._histogram.reshape(-1, tails.BINS)
        histogram *= keep
        for size, weight in zip(sizes, weights, strict=True):
            tails.count(histogram, size.ravel(), weight.ravel())
        self._usual = np.maximum(tails.usual(histogram).reshape(self._usual.shape), SMALLEST_RESIDUAL)


def _joined(size: Floats) -> Floats:
    """(server, metric) of both views together; ``size``: (view, server, metric)."""
    together: Floats = BY_ITSELF * size[0] + (1 - BY_ITSELF) * size[1]
    return together


def _standard_normal(size: Floats) -> Floats:
    """Sizes in multiples of `tails.usual` as z: their tails fall exponentially, to `tails.RARE` at 1."""
    z: Floats = -ndtri_exp(np.log(tails.RARE) * np.abs(size) - np.log(2))
    return np.sign(size) * z
