"""The samples of one step to one value per server and metric."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.metrics import Aggregation, Catalogue
from argus_ingest.domain.rates import increase_rate
from argus_ingest.domain.rows import Floats, Ids, Ints, SampleRows, concatenate, starts_of

Doubles = npt.NDArray[np.float64]

SIGNIFICANT_DIGITS = 7
"""What float32 holds for sure, so that rings, JSON and a rebuild from JSON agree to the last bit."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Closed windows of one step: ``server`` (window,), ``samples`` (window,), ``values`` (window, metric) float64,
    NaN = missing, columns of the whole catalogue.
    """

    step: int
    server: Ids
    samples: Ints
    values: Doubles

    def __len__(self) -> int:
        return len(self.server)


class Aggregator:
    """Aggregates by the catalogue's rules and computes the derived metrics."""

    def __init__(self, catalogue: Catalogue) -> None:
        names, received = catalogue.names(), catalogue.received()
        self._width = len(names)
        self._column = np.array([names.index(metric.name) for metric in received])
        self._by_rule = {
            rule: np.array([i for i, metric in enumerate(received) if metric.aggregation is rule], np.int64)
            for rule in Aggregation
        }
        self._derived = [
            (
                names.index(metric.name),
                metric.derived.offset,
                [(names.index(n), w) for n, w in metric.derived.terms.items()],
            )
            for metric in catalogue.derived()
            if metric.derived is not None
        ]

    @property
    def counters(self) -> Ints:
        """Row columns that are counters."""
        return self._by_rule[Aggregation.RATE]

    def windows(self, step: int, rows: SampleRows, before: SampleRows) -> Windows:
        """One window per server in ``rows``.

        Args:
            step: the step's number.
            rows: coalesced rows of the step, not empty.
            before: the counters' last samples before the step, of the same servers, where known.
        """
        starts = starts_of(rows.server[1:] != rows.server[:-1])
        ends = np.append(starts[1:], len(rows))
        server = rows.server[starts]
        aggregated = np.full((len(starts), len(self._column)), np.nan)
        for rule, reduce in ((Aggregation.MEAN, _mean), (Aggregation.MAX, _maximum), (Aggregation.LAST, _last)):
            columns = self._by_rule[rule]
            if len(columns):
                aggregated[:, columns] = reduce(rows.values[:, columns], starts, ends)
        for column in self.counters.tolist():
            aggregated[:, column] = _rates(server, rows, before, column)
        values = np.full((len(starts), self._width), np.nan)
        values[:, self._column] = aggregated
        for target, offset, terms in self._derived:
            values[:, target] = offset + sum(weight * values[:, column] for column, weight in terms)
        return Windows(step, server, ends - starts, round_significant(values))


def _mean(values: Floats, starts: Ints, _ends: Ints) -> Doubles:
    known = ~np.isnan(values)
    total = np.add.reduceat(np.where(known, values, 0).astype(np.float64), starts, axis=0)
    count = np.add.reduceat(known.astype(np.int64), starts, axis=0)
    with np.errstate(invalid="ignore"):
        return total / count


def _maximum(values: Floats, starts: Ints, _ends: Ints) -> Doubles:
    return np.fmax.reduceat(values, starts, axis=0).astype(np.float64)


def _last(values: Floats, starts: Ints, ends: Ints) -> Doubles:
    index = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    newest = np.maximum.accumulate(index, axis=0)[ends - 1]
    found = newest >= starts[:, None]
    taken = np.take_along_axis(values, np.maximum(newest, 0), axis=0)
    return np.where(found, taken, np.nan).astype(np.float64)


def _rates(server: Ids, rows: SampleRows, before: SampleRows, column: int) -> Doubles:
    both = concatenate([before, rows]) if len(before) else rows
    order = np.lexsort((both.time_ms, both.server))
    owners, rates = increase_rate(both.server[order], both.time_ms[order], both.values[order, column])
    out = np.full(len(server), np.nan)
    here = np.isin(owners, server)
    out[np.searchsorted(server, owners[here])] = rates[here]
    return out


def round_significant(values: Doubles, digits: int = SIGNIFICANT_DIGITS) -> Doubles:
    """``values`` rounded to so many significant digits.

    >>> round_significant(np.array([123.456789012, 0.000123456789, 0.0, np.nan])).tolist()
    [123.4568, 0.0001234568, 0.0, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.floor(np.log10(np.abs(values)))
    shift = digits - 1 - np.where(np.isfinite(exponent), exponent, 0)
    up, down = 10.0 ** np.clip(shift, 0, 300), 10.0 ** np.clip(-shift, 0, 300)
    rounded: Doubles = np.round(values * up / down) * down / up
    return rounded
