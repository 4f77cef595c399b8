"""What drift makes of a step's forecasts; the order of effects is that of all who follow forecasts."""

import logging
from collections import Counter
from collections.abc import Sequence

import numpy as np

from argus_common.events import Event
from argus_common.forecasts.collector import Gathered
from argus_common.forecasts.decode import Forecast
from argus_common.forecasts.pipeline import Following, Outside
from argus_common.forecasts.ports import FleetKey
from argus_common.kafka.dead_letters import FloodGuard
from argus_common.topics import DRIFT
from argus_drift.domain.detector import HOUR_SECONDS
from argus_drift.domain.fleet.columns import Row, row_of
from argus_drift.domain.fleet.watch import Watch
from argus_drift.fleets import Fleet, Fleets
from argus_drift.metrics import DriftMetrics
from argus_drift.ports import Shown

_log = logging.getLogger("argus.drift")


class Pipeline(Following[Row, Fleet]):
    """Watches each fleet, and tells of its drifts."""

    service = "drift"
    topic = DRIFT

    def __init__(self, fleets: Fleets, outside: Outside, metrics: DriftMetrics, guard: FloodGuard) -> None:
        super().__init__(fleets, outside, metrics, guard)
        self._targets, self._metrics = fleets.targets, metrics

    def _row(self, forecast: Forecast) -> Row:
        return row_of(forecast, self._targets)

    def _end_step(self, key: FleetKey, fleet: Fleet, over: Gathered[Row]) -> Sequence[Event] | None:
        if fleet.watch is None:
            if HOUR_SECONDS % key[1]:
                _log.warning("a fleet can't be watched: its step does not divide an hour", extra={"fleet": key[0]})
                return None
            fleet.watch = Watch.of(key, self._targets)
        if fleet.unsaved is None:
            fleet.unsaved = over.first
        with self._metrics.step.time():
            events = fleet.watch.step(over.step, over.rows)
        self._metrics.last_step.labels(key[0]).set((over.step + 1) * key[1])
        if events is not None:
            fleet.unsaved, fleet.shown = None, shown_of(fleet.watch)
        return events

    def _notify(self) -> None:
        """Nobody is told beside the topic."""

    def _show(self) -> None:
        fleets = [pair for owned in self.owned.values() for pair in owned.fleets.items()]
        self._metrics.show({key: fleet.shown for key, fleet in fleets if fleet.shown is not None})


def shown_of(watch: Watch) -> Shown:
    """What is shown of a fleet."""
    drifted = watch.drifts.members()
    watched = watch.detector.watched
    states = Counter(
        "drifted" if server in drifted else "watched" if watched[i] else "learning"
        for i, server in enumerate(watch.servers)
    )
    profiles = np.array(watch.profiles, np.object_)
    figures = {name: watch.figures(np.flatnonzero(profiles == name)) for name in sorted(set(watch.profiles))}
    return Shown(watch.targets, states, Counter(drift.scope for drift in watch.drifts.open), figures)
