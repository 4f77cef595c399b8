"""What cascade makes of a step's forecasts; the order of effects is that of all who follow forecasts."""

from collections.abc import Callable, Sequence

from argus_cascade.domain.columns import Columns, Row
from argus_cascade.domain.encode import event_of
from argus_cascade.domain.fleet import Figures
from argus_cascade.domain.standing import Standing, follow, tidy
from argus_cascade.fleets import Fleet, Fleets, Maintenance
from argus_cascade.metrics import CascadeMetrics
from argus_common.events import CascadeEvent
from argus_common.forecasts.collector import Gathered
from argus_common.forecasts.decode import Forecast
from argus_common.forecasts.pipeline import Following, Outside
from argus_common.forecasts.ports import FleetKey
from argus_common.kafka.dead_letters import FloodGuard
from argus_common.topics import CASCADES


class Pipeline(Following[Row, Fleet]):
    """Ticks the detector of each fleet, and tells of its cascades."""

    service = "cascade"
    topic = CASCADES

    def __init__(
        self,
        columns: Columns,
        fleets: Fleets,
        maintenance: Maintenance,
        outside: Outside,
        metrics: CascadeMetrics,
        guard: FloodGuard,
    ) -> None:
        super().__init__(fleets, outside, metrics, guard)
        self._columns, self._maintenance, self._metrics = columns, maintenance, metrics
        self._watchers: list[Callable[[], None]] = []

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Have ``watcher`` told when there is something new in `standing`."""
        self._watchers.append(watcher)

    def standing(self) -> list[Standing]:
        """The cascades of all fleets that are ours."""
        return [
            one for owned in self.owned.values() for fleet in owned.fleets.values() for one in fleet.standing.values()
        ]

    def _row(self, forecast: Forecast) -> Row:
        return self._columns.row(forecast)

    def _end_step(self, key: FleetKey, fleet: Fleet, over: Gathered[Row]) -> Sequence[CascadeEvent]:
        name, step_seconds = key
        now_ms = self._outside.clock.now_ms()

        def worked_on(server: str, step: int) -> bool:
            return self._maintenance(name, server, (step + 1) * step_seconds * 1000)

        with self._metrics.tick.time():
            tick = self._columns.tick(name, over.step, step_seconds, over.rows)
            report = fleet.detector.tick(tick, worked_on)
        events = [event_of(change) for change in report.changes]
        for event in events:
            follow(fleet.standing, event, now_ms)
        tidy(fleet.standing, now_ms)
        watched = len(fleet.collector.heard)
        fleet.figures = Figures(report.health, report.share_abnormal, report.risk, watched, report.forecasts)
        self._metrics.ticks.labels(over.cause).inc()
        return events

    def _notify(self) -> None:
        for watcher in self._watchers:
            watcher()

    def _show(self) -> None:
        fleets = [pair for owned in self.owned.values() for pair in owned.fleets.items()]
        self._metrics.show({key: (fleet.figures, fleet.standing) for key, fleet in fleets})
