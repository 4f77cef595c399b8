"""What alarms were worth: which breaches they announced, how early, and how often they were false.

A breach counts where a value passes its limit, stays beyond it for 15 minutes, and was below it for the hour before.
Alarms while the limit is passed, and within an hour of the last one, are the same episode. An alarm is true where a
breach begins within the hour after it, false where nothing at all is beyond the limit in that hour, and neither where
something was that is no such breach.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.metrics import Metric
from argus_forecasting.batch import Origins
from argus_forecasting.forecaster import Floats, Ints
from argus_forecasting.grid import Grid
from argus_forecasting.statistical.history import History

Mask = npt.NDArray[np.bool_]

AHEAD_MINUTES = 60
LASTING_MINUTES = 15
CALM_MINUTES = 60
COOL_DOWN_MINUTES = 60
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class WarningScores:
    """``precision``: true alarms over true and false ones. ``recall``: announced breaches over all ``events``.
    ``median_lead_minutes``: from the first alarm to the breach, None = none was announced.
    """

    precision: float
    recall: float
    events: int
    median_lead_minutes: float | None
    false_per_server_day: float


@dataclass(frozen=True, slots=True)
class Level:
    """A metric on its way to its limit. ``values``: (server, time) without gaps, the last known value in each, turned
    round where low values hurt. ``limit``: in the same direction. ``hot``: (server, time) at or beyond it.
    """

    values: Floats
    limit: float
    hot: Mask
    step_seconds: int

    @staticmethod
    def of(grid: Grid, metric: Metric) -> "Level":
        """Of a metric that has a limit."""
        if metric.limit is None:
            raise ValueError(f"{metric.name} has no limit")
        sign = metric.harm or 1
        history = History.of(np.ascontiguousarray(grid.values, np.float32))
        values, limit = history.filled * np.float32(sign), metric.limit * sign
        begun = np.arange(history.length)[None] >= history.first[:, None]
        return Level(values, limit, (values >= limit) & begun, grid.step_seconds)

    def steps(self, minutes: int) -> int:
        """As many steps, at least one."""
        return max(minutes * 60 // self.step_seconds, 1)


def breaches(level: Level, server: int, begin: int, end: int) -> Ints:
    """Columns in ``(begin, end]`` at which a breach of a server begins."""
    hot = level.hot[server]
    lasting, calm = level.steps(LASTING_MINUTES), level.steps(CALM_MINUTES)
    starts = np.flatnonzero(hot[1:] & ~hot[:-1]) + 1
    starts = starts[(starts > begin) & (starts <= end) & (starts >= calm)]
    kept = [c for c in starts.tolist() if hot[c : c + lasting].all() and not hot[c - calm : c].any()]
    return np.array(kept, np.int64)


def score_alarms(on: Mask, at: Origins, level: Level) -> WarningScores:
    """Score the alarms of a rule.

    Args:
        on: (origin,) whether the rule says that a breach comes.
        at: the origins, those of a server in time order.
        level: what came.
    """
    ahead = level.steps(AHEAD_MINUTES)
    events = true = false = 0
    leads: list[int] = []
    for server in np.unique(at.server).tolist():
        mine = at.server == server
        columns = at.column[mine]
        coming = breaches(level, server, int(columns.min()), int(columns.max()) + ahead)
        events += len(coming)
        announced: set[int] = set()
        for alarm in _episodes(columns[on[mine]], level, server):
            soon = coming[(coming > alarm) & (coming <= alarm + ahead)]
            if len(soon):
                true += 1
                if (breach := int(soon[0])) not in announced:
                    announced.add(breach)
                    leads.append(breach - alarm)
            elif not level.hot[server, alarm + 1 : alarm + 1 + ahead].any():
                false += 1
    span = (int(at.column.max()) - int(at.column.min())) * level.step_seconds / DAY_SECONDS
    return WarningScores(
        true / max(true + false, 1),
        len(leads) / max(events, 1),
        events,
        float(np.median(leads)) * level.step_seconds / 60 if leads else None,
        false / max(len(np.unique(at.server)) * span, 1e-9),
    )


def _episodes(alarms: Ints, level: Level, server: int) -> Iterator[int]:
    """The columns that begin an episode."""
    pause, last = level.steps(COOL_DOWN_MINUTES), -(10**9)
    for column in alarms.tolist():
        if not level.hot[server, column] and column - last >= pause:
            last = column
            yield column
