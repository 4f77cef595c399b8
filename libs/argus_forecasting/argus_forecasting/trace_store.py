"""A trace as one array that windows are cut from; on disk, if wanted, so that memory stays small whatever its size.

Of an array on disk the operating system pages in what is touched, so training has no chunks to shuffle: every window of
the whole span is equally likely at every moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from argus_common.errors import ConfigurationError
from argus_common.fleet import FLEET_METRICS, FleetSums
from argus_common.metrics import Catalogue, Metric
from argus_forecasting.features.covariates import HISTORY_DAYS
from argus_forecasting.features.fleet import DEVIATIONS, WIDTH
from argus_forecasting.forecaster import Context, Floats, Ints
from argus_forecasting.grid import Grid

IDENTITY = ("server", "timestamp", "fleet", "profile")
"""Columns that say who and when; every other numeric column is a metric."""
DAY_SECONDS = 86_400
AT_ONCE = 4_000_000
"""Values that are worked on at once."""


@dataclass(frozen=True, slots=True)
class TraceStore:
    """``values``: (server, metric, time) float32, NaN = missing; column 0 is ``first_step``.
    ``fleet``: (fleet, time, 15) the fleets' aggregates, NaN = unknown. ``fleet_of``: (server,). ``profile``: (server,).
    """

    servers: tuple[str, ...]
    metrics: tuple[str, ...]
    profile: tuple[str, ...]
    fleet_of: Ints
    first_step: int
    step_seconds: int
    values: npt.NDArray[np.float32]
    fleet: Floats

    @property
    def length(self) -> int:
        """Steps from the first to the last."""
        return int(self.values.shape[2])

    @staticmethod
    def of(rows: pl.DataFrame, step_seconds: int) -> "TraceStore":
        """A wide trace (``server``, ``timestamp`` in epoch milliseconds, metrics) in memory.

        Raises:
            ConfigurationError: it is empty.
        """
        return build([rows], extent([rows], step_seconds), step_seconds)

    def grid(self, name: str) -> Grid:
        """One metric of all servers, with the context of each origin.

        Raises:
            ConfigurationError: the trace has no such metric.
        """
        metric = self.metric(name)

        def context(server: Ints, column: Ints) -> Context:
            return context_of(self, server, column, np.full(len(server), metric), self.metrics)

        return Grid(self.servers, self.first_step, self.step_seconds, self.values[:, metric], context)

    def metric(self, name: str) -> int:
        """Its column.

        Raises:
            ConfigurationError: the trace has no such metric.
        """
        if name not in self.metrics:
            raise ConfigurationError(f"the trace has no metric {name!r}; it has {', '.join(self.metrics)}")
        return self.metrics.index(name)


@dataclass(frozen=True, slots=True)
class Extent:
    """What a first reading of a trace finds."""

    servers: pl.DataFrame
    metrics: tuple[str, ...]
    first_step: int
    last_step: int
    derived: tuple[Metric, ...] = ()
    """Those of the metrics that are computed from others."""


def extent(frames: Iterable[pl.DataFrame], step_seconds: int, names: tuple[str, ...] | None = None) -> Extent:
    """Servers (with profile and fleet, as last seen), numeric columns and span of wide frames.

    Args:
        frames: with ``server``, ``timestamp`` (epoch milliseconds) and one column per metric.
        step_seconds: length of a step.
        names: of the metrics, where they are known already and the frames lack them.

    Raises:
        ConfigurationError: there is no row, or no metric.
    """
    servers: dict[str, tuple[str, str]] = {}
    metrics: dict[str, None] = dict.fromkeys(names or ())
    first, last = 2**62, -(2**62)
    for frame in frames:
        identity = [pl.col("server")]
        identity += [
            (pl.col(name).cast(pl.String).fill_null("") if name in frame.columns else pl.lit("")).alias(name)
            for name in ("profile", "fleet")
        ]
        for name, profile, fleet in frame.select(identity).unique(subset="server", keep="last").iter_rows():
            servers[name] = (profile, fleet)  # as Python text: columns of some rows keep the memory of all rows
        metrics |= dict.fromkeys(
            name for name, kind in frame.schema.items() if kind.is_numeric() and name not in IDENTITY
        )
        steps = frame["timestamp"] // (1000 * step_seconds)
        if len(steps):
            first, last = min(first, int(steps.min())), max(last, int(steps.max()))  # type: ignore[arg-type]
    if not servers or first > last:
        raise ConfigurationError("the trace has no row")
    if not metrics:
        raise ConfigurationError("the trace has no numeric column")
    rows = [(name, *servers[name]) for name in sorted(servers)]
    known = pl.DataFrame(rows, {"server": pl.String, "profile": pl.String, "fleet": pl.String}, orient="row")
    return Extent(known, tuple(metrics), first, last)


def with_derived(found: Extent, catalogue: Catalogue) -> Extent:
    """The same with those derived metrics of the catalogue that the trace lacks and that can be computed."""
    more = tuple(
        metric
        for metric in catalogue.derived()
        if metric.derived and metric.name not in found.metrics and set(metric.derived.terms) <= set(found.metrics)
    )
    return replace(found, metrics=(*found.metrics, *(metric.name for metric in more)), derived=more)


def build(frames: Iterable[pl.DataFrame], found: Extent, step_seconds: int, folder: Path | None = None) -> TraceStore:
    """Put the frames into arrays, under ``folder`` or in memory; several samples of a step are averaged."""
    names = found.servers["server"].to_list()
    shape = (len(names), len(found.metrics), found.last_step - found.first_step + 1)
    numbers = {name: i for i, name in enumerate(names)}
    values, count = _zeros(folder, "values", np.float32, shape), _zeros(folder, "count", np.uint16, shape)
    for frame in frames:
        row = frame["server"].replace_strict(numbers, return_dtype=pl.Int64).to_numpy()
        step = (frame["timestamp"] // (1000 * step_seconds)).to_numpy() - found.first_step
        for column, metric in enumerate(found.metrics):
            if metric in frame.columns:
                _add(values, count, row, column, step, frame[metric].cast(pl.Float32).to_numpy())
    for server in range(len(names)):
        with np.errstate(invalid="ignore"):
            values[server] = np.where(count[server] > 0, values[server] / count[server], np.nan)
        for derived in found.derived:
            values[server, found.metrics.index(derived.name)] = _derive(derived, values[server], found.metrics)
    del count
    if folder is not None:
        (folder / "count.npy").unlink()
    fleets, fleet_of = np.unique(found.servers["fleet"].to_numpy().astype(str), return_inverse=True)
    aggregates = _aggregates(values, found.metrics, fleet_of, len(fleets))
    profiles = tuple(found.servers["profile"].to_list())
    return TraceStore(
        tuple(names), found.metrics, profiles, fleet_of.astype(np.int64), found.first_step, step_seconds, values,
        aggregates,
    )  # fmt: skip


def _derive(metric: Metric, values: Floats, names: Sequence[str]) -> Floats:
    """(time,) of one server; NaN where a term is missing. ``values``: (metric, time)."""
    rule = metric.derived
    if rule is None:
        raise ValueError(f"{metric.name} is not derived from others")
    total = sum(weight * values[names.index(name)] for name, weight in rule.terms.items())
    derived: Floats = np.clip(np.float32(rule.offset) + total, metric.lower, metric.upper).astype(np.float32)
    return derived


def _zeros(folder: Path | None, name: str, kind: type[np.generic], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    if folder is None:
        return np.zeros(shape, kind)
    folder.mkdir(parents=True, exist_ok=True)
    return np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, shape)


def _add(
    values: npt.NDArray[np.float32],
    count: npt.NDArray[np.uint16],
    row: Ints,
    column: int,
    step: Ints,
    samples: npt.NDArray[np.float32],
) -> None:
    known = np.isfinite(samples)
    at = (row[known], np.full(int(known.sum()), column), step[known])
    np.add.at(values, at, samples[known])
    np.add.at(count, at, np.uint16(1))


def _aggregates(
    values: npt.NDArray[np.float32], metrics: Sequence[str], fleet_of: npt.NDArray[np.intp], fleets: int
) -> Floats:
    """(fleet, time, 15); all NaN where the trace lacks one of the metrics that they are made of."""
    out = np.full((fleets, values.shape[2], WIDTH - len(DEVIATIONS)), np.nan, np.float32)
    if not set(FLEET_METRICS) <= set(metrics):
        return out
    columns = np.array([list(metrics).index(name) for name in FLEET_METRICS])
    for fleet in range(fleets):
        mine = np.flatnonzero(fleet_of == fleet)
        width = max(AT_ONCE // (len(mine) * len(columns)), 1)
        for begin in range(0, values.shape[2], width):
            steps = np.arange(begin, min(begin + width, values.shape[2]))
            part = values[np.ix_(mine, columns, steps)].astype(np.float64)
            for step in range(part.shape[2]):
                features = FleetSums.of(part[:, :, step], FLEET_METRICS).features()
                out[fleet, begin + step] = list(features.values())
    return out


def gather(values: npt.NDArray[np.float32], server: Ints, metric: Ints, column: Ints, length: int) -> Floats:
    """(window, time) the ``length`` columns up to and including ``column``; NaN outside of the trace.

    Args:
        values: (server, metric, time).
        server: (window,) row.
        metric: (window,) row within it.
        column: (window,).
        length: columns to take.
    """
    columns = column[:, None] + np.arange(1 - length, 1)[None, :]
    inside = (columns >= 0) & (columns < values.shape[2])
    taken = values[server[:, None], metric[:, None], np.clip(columns, 0, values.shape[2] - 1)]
    return np.where(inside, taken, np.float32(np.nan))


def context_of(store: TraceStore, server: Ints, column: Ints, metric: Ints, names: Sequence[str]) -> Context:
    """What was known of the servers at these origins; one server per window, since windows of one server at one origin
    are rare among random ones.

    Args:
        store: the trace.
        server: (window,) row.
        column: (window,) the origin.
        metric: (window,) the target.
        names: metrics to include; those that the trace lacks are left out.
    """
    known = tuple(name for name in dict.fromkeys(names) if name in store.metrics)
    values = np.empty((len(server), len(known), HISTORY_DAYS * DAY_SECONDS // store.step_seconds), np.float32)
    for i, name in enumerate(known):
        which = np.full(len(server), store.metrics.index(name))
        values[:, i] = gather(store.values, server, which, column, values.shape[2])
    numbers = {store.metrics.index(name): i for i, name in enumerate(known)}
    target = np.array([numbers.get(i, -1) for i in range(len(store.metrics))], np.int64)
    profile = tuple(store.profile[i] for i in server.tolist())
    return Context(np.arange(len(server)), target[metric], known, values, profile, _fleet(store, server, column))


def _fleet(store: TraceStore, server: Ints, column: Ints) -> Floats:
    """(window, 18) the fleet's aggregate one step before the origin."""
    out = np.full((len(server), WIDTH), np.nan, np.float32)
    before = np.maximum(column - 1, 0)
    whole = store.fleet[store.fleet_of[server], before]
    out[:, : whole.shape[1]] = whole
    for i, name in enumerate(DEVIATIONS):
        if name in store.metrics:
            mean = whole[:, 3 * FLEET_METRICS.index(name)]
            out[:, whole.shape[1] + i] = store.values[server, store.metrics.index(name), before] - mean
    out[column < 1] = np.nan
    return out
