"""Histories of servers to series with their ranges and limits, and back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.errors import ConfigurationError
from argus_common.events import WindowClosed
from argus_common.fleet import FleetSums
from argus_common.metrics import Catalogue, Metric
from argus_forecasting.features.covariates import HISTORY_DAYS
from argus_forecasting.features.fleet import fleet_features
from argus_forecasting.forecaster import Context, Floats, SeriesBatch

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Targets:
    """The forecast metrics of a catalogue, in its order."""

    catalogue: Catalogue
    metrics: tuple[Metric, ...]
    columns: npt.NDArray[np.int64]
    """(target,) where they lie in a ring's row."""

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Targets":
        """The targets of ``catalogue``.

        Raises:
            ConfigurationError: it has none.
        """
        metrics, names = catalogue.targets(), catalogue.names()
        if not metrics:
            raise ConfigurationError("no metric of the catalogue is a target: set `target: true` on what to forecast")
        return cls(catalogue, metrics, np.array([names.index(metric.name) for metric in metrics]))

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(metric.name for metric in self.metrics)

    def severity(self) -> Floats:
        """(target,) weight of each limit in the risk."""
        return np.array([metric.severity for metric in self.metrics], np.float32)

    def harm(self) -> npt.NDArray[np.int8]:
        """(target,) direction in which a limit is crossed."""
        return np.array([metric.harm or 1 for metric in self.metrics], np.int8)

    def lower(self) -> Floats:
        """(target,) least legal value, −inf = unbounded."""
        return np.array([metric.lower for metric in self.metrics], np.float32)

    def upper(self) -> Floats:
        """(target,) greatest legal value, inf = unbounded."""
        return np.array([metric.upper for metric in self.metrics], np.float32)

    def limits(self, windows: Sequence[WindowClosed]) -> Floats:
        """(server, target) the limit of each target on each server, NaN = none."""
        cache: dict[tuple[str, str], list[float]] = {}
        own = self.catalogue.limits.servers
        rows = []
        for window in windows:
            key = (window.profile, window.server if window.server in own else "")
            if key not in cache:
                found = [self.catalogue.limit(name, profile=key[0], server=key[1]) for name in self.names]
                cache[key] = [float("nan") if limit is None else limit for limit in found]
            rows.append(cache[key])
        return np.array(rows, np.float32).reshape(len(windows), len(self.metrics))

    def values(self, rings: Floats, windows: Sequence[WindowClosed]) -> Floats:
        """(server, target, time) the histories of the targets, NaN = missing or not finite as float32.

        The last column is the windows' own: it is right even where the rings were lost a moment ago.

        Args:
            rings: (server, time, metric), last column = the windows' step.
            windows: one per server, all of one step.
        """
        values = np.ascontiguousarray(rings[:, :, self.columns].transpose(0, 2, 1))
        with np.errstate(over="ignore"):
            for t, name in enumerate(self.names):
                values[:, t, -1] = [window.metrics.get(name, np.nan) for window in windows]
        values[~np.isfinite(values)] = np.nan
        return values

    def context(self, rings: Floats, windows: Sequence[WindowClosed], fleet: FleetSums) -> Context:
        """What else is known of these servers.

        Args:
            rings: (server, time, metric), last column = the windows' step.
            windows: one per server, all of one step.
            fleet: the fleet's aggregate one step before.
        """
        names = self.catalogue.names()
        length = HISTORY_DAYS * SECONDS_PER_DAY // windows[0].step_seconds
        values = np.ascontiguousarray(rings[:, -length:].transpose(0, 2, 1))
        before = values[:, :, -2] if values.shape[2] > 1 else np.full(values.shape[:2], np.nan, np.float32)
        with np.errstate(over="ignore"):
            for column, name in enumerate(names):
                values[:, column, -1] = [window.metrics.get(name, np.nan) for window in windows]
        values[~np.isfinite(values)] = np.nan
        return Context(
            np.repeat(np.arange(len(windows)), len(self.metrics)),
            np.tile(self.columns, len(windows)),
            names,
            values,
            tuple(window.profile for window in windows),
            fleet_features(fleet, before, names),
        )

    def batch(
        self, values: Floats, windows: Sequence[WindowClosed], limits: Floats, context: Context | None = None
    ) -> SeriesBatch:
        """The series of these servers, server by server, target by target.

        Args:
            values: (server, target, time) histories.
            windows: one per server, all of one step.
            limits: (server, target).
            context: what else is known of them.
        """
        servers, targets = len(windows), len(self.metrics)
        return SeriesBatch(
            values.reshape(servers * targets, -1),
            np.full(servers * targets, windows[0].step, np.int64),
            windows[0].step_seconds,
            np.tile(self.lower(), servers),
            np.tile(self.upper(), servers),
            limits.reshape(-1),
            np.tile(self.harm(), servers),
            context,
        )
