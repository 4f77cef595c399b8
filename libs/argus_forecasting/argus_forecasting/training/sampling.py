"""Which windows to learn from: spans in time order with a gap, and random places in them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.errors import ConfigurationError
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.training.windows import Places

DAY_SECONDS = 86_400
LEAST_HISTORY_DAYS = 2
"""Windows with less history are left to the statistical forecaster."""
OBSERVED_DAY, OBSERVED_HORIZON = 0.8, 0.5
"""Shares that must have been observed of the last day before an origin and of the horizon after it."""
TRIES = 40


@dataclass(frozen=True, slots=True)
class Span:
    """Columns of a store in which origins and their horizons lie: ``[begin, end)``."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Split:
    """Training, validation and what is kept for a last test, in time order, a horizon apart from each other."""

    train: Span
    validation: Span
    test: Span


def split(store: TraceStore, horizon: int, validation: float, test: float) -> Split:
    """Cut the store's span: the last ``test`` share for the test, before it the ``validation`` share.

    An origin's horizon lies in its own span and the gap of a horizon keeps the next span's first histories from
    ending in what was just learned.

    Raises:
        ConfigurationError: the trace is too short.
    """
    day = DAY_SECONDS // store.step_seconds
    first = min(LEAST_HISTORY_DAYS * day, store.length // 3)
    test_begin = store.length - round(test * store.length)
    validation_begin = test_begin - round(validation * store.length)
    found = Split(
        Span(first, validation_begin - horizon),
        Span(validation_begin, test_begin - (horizon if test else 0)),
        Span(test_begin, store.length),
    )
    if found.train.end - found.train.begin <= 2 * horizon or found.validation.end - found.validation.begin <= horizon:
        raise ConfigurationError(
            f"a trace of {store.length} steps is too short to train on: it takes {LEAST_HISTORY_DAYS} days of history, "
            f"a horizon of {horizon} steps in each part, and a gap between them"
        )
    return found


class Sampler:
    """Draws places at random where enough was observed; every place of the span is equally likely."""

    def __init__(
        self, store: TraceStore, targets: tuple[str, ...], excluded: npt.NDArray[np.bool_] | None = None
    ) -> None:
        """``excluded``: (server, time) steps that are not to be learned from: maintenance, mitigated breaches."""
        self._store, self._excluded = store, excluded
        self._metrics = np.array([store.metric(name) for name in targets], np.int64)
        if len(self._metrics) == 0:
            raise ConfigurationError("no target to train on")

    def draw(self, span: Span, count: int, horizon: int, rng: np.random.Generator) -> Places:
        """Up to ``count`` places in ``span``; fewer where little was observed.

        Raises:
            ConfigurationError: nowhere in the span was enough observed.
        """
        found: list[Places] = []
        have = 0
        for _ in range(TRIES):
            some = self._draw(span, count, horizon, rng)
            some = some.part(np.flatnonzero(self._enough(some, horizon)))
            found.append(some)
            have += len(some)
            if have >= count:
                break
        if not have:
            raise ConfigurationError("nowhere in the training span was a day and a horizon observed: too many gaps")
        everything = Places(
            *(np.concatenate([getattr(p, name) for p in found]) for name in Places.__dataclass_fields__)
        )
        return everything.part(slice(0, count))

    def _draw(self, span: Span, count: int, horizon: int, rng: np.random.Generator) -> Places:
        last = max(span.end - horizon, span.begin + 1)
        return Places(
            rng.integers(0, len(self._store.servers), count),
            self._metrics[rng.integers(0, len(self._metrics), count)],
            rng.integers(span.begin, last, count),
        )

    def _enough(self, at: Places, horizon: int) -> npt.NDArray[np.bool_]:
        day = DAY_SECONDS // self._store.step_seconds
        before = self._observed(at, 1 - day, 1) >= OBSERVED_DAY * day
        after = self._observed(at, 1, 1 + horizon) >= OBSERVED_HORIZON * horizon
        enough: npt.NDArray[np.bool_] = before & after
        if self._excluded is not None:
            columns = np.clip(at.column[:, None] + np.arange(1, horizon + 1)[None], 0, self._store.length - 1)
            enough &= ~self._excluded[at.server[:, None], columns].any(axis=1)
        return enough

    def _observed(self, at: Places, begin: int, end: int) -> npt.NDArray[np.int64]:
        """(window,) steps observed in ``[column + begin, column + end)``; every fourth step is looked at."""
        columns = at.column[:, None] + np.arange(begin, end, 4)[None]
        inside = (columns >= 0) & (columns < self._store.length)
        values = self._store.values[at.server[:, None], at.metric[:, None], np.clip(columns, 0, self._store.length - 1)]
        share = (np.isfinite(values) & inside).mean(axis=1)
        return np.asarray(share * (end - begin))
