"""When a limit of the metric catalogue is really crossed, and how much room is left below it."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from argus_common.metrics import DEFAULT_CATALOGUE
from argus_simulator.domain.fleet import Doubles, Fleet
from argus_simulator.domain.truth import Crossing
from argus_simulator.domain.world import METRICS

WATCHED = tuple(name for name in (*METRICS, "cpu_used_pct") if DEFAULT_CATALOGUE.get(name).limit is not None)
"""Metrics with a limit; high hurts in all of them."""
_IDLE = METRICS.index("cpu_idle_pct")


class LimitWatch:
    """Remembers which limits each server is beyond. Profiles may have their own limits."""

    def __init__(self, fleet: Fleet) -> None:
        profiles = [fleet.profile_of(server).name for server in range(len(fleet))]
        self._names = fleet.names
        self._limits = np.array(
            [[DEFAULT_CATALOGUE.limit(name, profile=profile) for name in WATCHED] for profile in profiles], np.float64
        )
        self._beyond = np.zeros(self._limits.shape, np.bool_)

    def crossings(self, values: Doubles, silent: npt.NDArray[np.bool_], now_s: float) -> Iterator[Crossing]:
        """Limits that were crossed or left since the last call; a silent server shows nothing.

        Args:
            values: (server, metric) as `World.advance` returns them.
            silent: (server,) servers that send nothing now.
            now_s: event time.
        """
        measured = _measured(values)
        beyond = np.where(silent[:, None], self._beyond, measured >= self._limits)
        changed, self._beyond = beyond != self._beyond, beyond
        for server, which in np.argwhere(changed).tolist():
            limit, value = float(self._limits[server, which]), round(float(measured[server, which]), 4)
            yield Crossing(self._names[server], WATCHED[which], limit, value, now_s, bool(beyond[server, which]))

    def room(self, values: Doubles, metric: str) -> Doubles:
        """(server,) what is left below the limit of ``metric``; negative beyond it."""
        which = WATCHED.index(metric)
        return np.asarray(self._limits[:, which] - _measured(values)[:, which])


def _measured(values: Doubles) -> Doubles:
    """(server, watched)."""
    return np.column_stack(
        [100 - values[:, _IDLE] if n == "cpu_used_pct" else values[:, METRICS.index(n)] for n in WATCHED]
    )
