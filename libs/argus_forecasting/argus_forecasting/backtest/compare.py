"""Which of two losses over the same windows is smaller, and how sure that is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RESAMPLES = 1000
INTERVAL = (0.05, 0.95)
LEAST_LOSS = 1e-6
"""Added to the losses of a server, so that two idle ones, forecast without any error, compare as equal."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Loss over another's; below 1 is better. ``low``, ``high``: its 90 % interval. NaN where neither has a loss."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Blocks:
    """Which server and which day each window belongs to, numbered from 0; what is drawn again as a whole."""

    server: Ints
    day: Ints
    servers: int
    days: int

    @staticmethod
    def of(server: Ints, day: Ints) -> "Blocks":
        """Of the windows' servers and days, any integers."""
        names, servers = np.unique(server, return_inverse=True)
        dates, days = np.unique(day, return_inverse=True)
        return Blocks(servers, days, len(names), len(dates))

    def table(self, values: Doubles) -> Doubles:
        """(server, day) sums of (window,) values."""
        flat = np.bincount(self.server * self.days + self.day, values, self.servers * self.days)
        return flat.astype(np.float64).reshape(self.servers, self.days)

    def draws(self, seed: int) -> tuple[Doubles, Doubles]:
        """(resample, server) and (resample, day): how often each is drawn.

        Servers and days are drawn independently, and a window counts as often as its server times its day. The errors
        of a server hang together, and so do those of a day on all servers (a deployment, a batch run, near clones), so
        drawing windows alone, or servers alone, would promise more than is known.

        References:
            A. B. Owen, "The pigeonhole bootstrap", 2007.
        """
        rng = np.random.default_rng(seed)
        by_server = rng.multinomial(self.servers, np.full(self.servers, 1 / self.servers), RESAMPLES)
        by_day = rng.multinomial(self.days, np.full(self.days, 1 / self.days), RESAMPLES)
        return by_server.astype(np.float64), by_day.astype(np.float64)


def pooled(ours: Doubles, theirs: Doubles, blocks: Blocks, seed: int = 0) -> Ratio:
    """Ratio of summed losses: large series count more. ``ours``, ``theirs``: (window,), NaN = not defined."""
    known = np.isfinite(ours) & np.isfinite(theirs)
    sums = [blocks.table(np.where(known, losses, 0)) for losses in (ours, theirs)]
    by_server, by_day = blocks.draws(seed)
    drawn = [((by_server @ table) * by_day).sum(axis=1) for table in sums]
    return _ratio(sums[0].sum(), sums[1].sum(), drawn[0], drawn[1])


def typical(ours: Doubles, theirs: Doubles, blocks: Blocks, seed: int = 0) -> Ratio:
    """Geometric mean over servers of their ratios: every server counts alike. ``ours``, ``theirs``: (window,)."""
    one, other, count = (blocks.table(values) for values in (ours, theirs, np.ones(len(ours))))
    by_server, by_day = blocks.draws(seed)
    logs = np.log((by_day @ one.T + LEAST_LOSS) / (by_day @ other.T + LEAST_LOSS))
    weight = by_server * (by_day @ count.T > 0)
    drawn = (logs * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1)
    whole = np.log((one.sum(axis=1) + LEAST_LOSS) / (other.sum(axis=1) + LEAST_LOSS)).mean()
    low, high = np.quantile(drawn, INTERVAL)
    return Ratio(float(np.exp(whole)), float(np.exp(low)), float(np.exp(high)))


def _ratio(ours: float, theirs: float, drawn_ours: Doubles, drawn_theirs: Doubles) -> Ratio:
    usable = drawn_theirs > 0
    if not theirs > 0 or not usable.any():
        return Ratio(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(drawn_ours[usable] / drawn_theirs[usable], INTERVAL)
    return Ratio(float(ours / theirs), float(low), float(high))
