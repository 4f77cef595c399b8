"""Which servers have changed for good: tests of every hour against the server's own reference week.

Each server is compared with itself alone, so that the state is plain arrays with a row per server, and the order of the
servers makes no difference. A server's life: it learns for a week, is watched, and after an alarm learns anew from that
hour on, so that what is normal now becomes the reference.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from argus_common.errors import ConfigurationError
from argus_drift.domain import kinds, windows
from argus_drift.domain.alarm import Alarm
from argus_drift.domain.channels import Channels, Ints
from argus_drift.domain.hours import RunningHour
from argus_drift.domain.learning import Class
from argus_drift.domain.ranks import KNOTS, Floats
from argus_drift.domain.reference import DAY_HOURS, Reference, learn, tested, tested_columns
from argus_drift.domain.rules import RING_HOURS, RULES, Rule

HOUR_SECONDS = 3600
REFERENCE_HOURS = 168
LEAST_REFERENCE_HOURS = 72
"""The longest test looks at two days, and a range of fewer than a day's worth of such means is none."""
CLASS_SERVERS = 32
"""Servers whose reference is made within one step, so that a step takes no longer when a whole fleet has learned."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A test that a server has failed. ``column``: the tested column."""

    server: int
    rule: Rule
    column: int
    value: float


class Detector:
    """Watches servers that are told of step by step.

    ``servers``: how many. ``targets``: their metrics. ``step_seconds``: a divisor of an hour. ``reference_hours``: how
    long a server is learned before it is watched.

    Raises:
        ConfigurationError: the step does not divide an hour, or the reference is too short.
    """

    def __init__(
        self, servers: int, targets: tuple[str, ...], step_seconds: int, reference_hours: int = REFERENCE_HOURS
    ) -> None:
        if HOUR_SECONDS % step_seconds:
            raise ConfigurationError(f"drift is tested by the hour: a step of {step_seconds} s does not divide it")
        if reference_hours < LEAST_REFERENCE_HOURS:
            raise ConfigurationError(
                f"a reference of {reference_hours} h is too short to tell drift: at least {LEAST_REFERENCE_HOURS} h"
            )
        self.channels = Channels.of(targets)
        self.at = tested_columns(self.channels)
        self.steps_per_hour = HOUR_SECONDS // step_seconds
        self.reference_hours = reference_hours
        width = self.at["pace"].stop
        unknown = np.float32(np.nan)
        self.running = RunningHour.empty(servers, self.channels)
        self.reference = Reference(
            np.full((servers, len(targets), 3, KNOTS), unknown),
            *(np.full((servers, len(targets), DAY_HOURS), unknown) for _ in ("swing", "level", "value")),
            *(np.full((servers, width), unknown) for _ in ("low", "high")),
        )
        self.ring = np.full((RING_HOURS, servers, width), unknown)
        self.values = np.full((RING_HOURS, servers, len(targets)), unknown)
        self.classes: list[Class] = []
        self.last_step: int | None = None

    @property
    def watched(self) -> npt.NDArray[np.bool_]:
        """(server,) whether a reference is known."""
        return np.asarray(np.isfinite(self.reference.high).any(axis=1))

    def step(self, number: int, values: Floats) -> list[Alarm]:
        """Hear a step; the alarms that it raises. Steps that were left out count as not observed.

        Args:
            number: of the step, since 1970; rising. An older one is ignored.
            values: (server, target), NaN = missing.
        """
        if self.last_step is None:
            self._begin(number)
        elif number <= self.last_step:
            return []
        alarms = self._silence(number, values.shape)
        return alarms + self._hear(number, values)

    def _begin(self, number: int) -> None:
        """Everybody learns, from the first whole hour on."""
        first_hour = -(-number // self.steps_per_hour)
        self._learn_anew(np.arange(len(self.running.before)), first_hour)
        self.last_step = number - 1

    def _silence(self, number: int, shape: tuple[int, ...]) -> list[Alarm]:
        """Steps without a word, at most so many as make all that is known too old."""
        missing = np.full(shape, np.nan, np.float32)
        begin = (self.last_step or 0) + 1
        oldest = (number // self.steps_per_hour - RING_HOURS - self.reference_hours) * self.steps_per_hour
        return [alarm for step in range(max(begin, oldest), number) for alarm in self._hear(step, missing)]

    def _hear(self, number: int, values: Floats) -> list[Alarm]:
        hour, within = divmod(number, self.steps_per_hour)
        self.running.add(values[:, :, None].astype(np.float32), self.channels, self.reference.knots)
        for learners in self.classes:
            learners.add(values, hour, within)
        self.last_step = number
        alarms = [] if within < self.steps_per_hour - 1 else self._end_hour(hour, number)
        self._graduate(number + 1)
        return alarms

    def _end_hour(self, hour: int, number: int) -> list[Alarm]:
        means = self.running.close(self.steps_per_hour)
        level, swing = (usual[:, :, hour % DAY_HOURS] for usual in (self.reference.level, self.reference.swing))
        self.ring[hour % RING_HOURS] = tested(self.channels, means, level, swing)
        self.values[hour % RING_HOURS] = self.running.hour_mean
        findings = self._findings(hour)
        alarms = [self._alarm(server, found, hour, number) for server, found in findings.items()]
        if alarms:
            self._forget(np.array(sorted(findings), np.int64), hour + 1)
        return alarms

    def _findings(self, hour: int) -> dict[int, list[Finding]]:
        """Per server, in rising order, the tests that it fails."""
        found: dict[int, list[Finding]] = {}
        lately = (self.ring[place] for place in self._places(hour, RING_HOURS)[::-1])
        means = windows.last_means(lately, {rule.hours for rule in RULES})
        for rule in RULES:
            columns = self.at[rule.family]
            low, high = self.reference.low[:, columns], self.reference.high[:, columns]
            excess = windows.excess(means[rule.hours][:, columns], low, high)
            server, column = np.nonzero(excess > rule.threshold)
            for i, j, value in zip(*self._forgiven(rule, hour, server, column + columns.start), strict=True):
                found.setdefault(int(i), []).append(Finding(int(i), rule, int(j), float(value)))
        return dict(sorted(found.items()))

    def _forgiven(self, rule: Rule, hour: int, server: Ints, column: Ints) -> tuple[Ints, Ints, Floats]:
        """Those that fail even without their worst hours, with what remains."""
        hours = self.ring[self._places(hour, rule.hours)[:, None], server, column].T
        value = windows.forgiving_excess(hours, self.reference.low[server, column], self.reference.high[server, column])
        fails = value > rule.threshold
        return server[fails], column[fails], value[fails]

    def _places(self, hour: int, hours: int) -> Ints:
        """(hour,) places in the ring of the last hours, oldest first."""
        return np.arange(hour - hours + 1, hour + 1) % RING_HOURS

    def _alarm(self, server: int, findings: list[Finding], hour: int, number: int) -> Alarm:
        worst = max(findings, key=lambda found: found.value / found.rule.threshold)
        course = self._level_course(server, hour)
        kind = kinds.kind_of(self._ratios(server, hour), course)
        begin = kinds.began(course if kind in ("level", "trend") else self._course(server, worst.column, hour))
        return Alarm(
            server=server,
            metric=self._metric(worst),
            step=number,
            kind=kind,
            statistic=f"{worst.rule.family}_{worst.rule.hours}h",
            value=worst.value,
            threshold=worst.rule.threshold,
            since=(hour - RING_HOURS + 1 + begin) * self.steps_per_hour,
        )

    def _ratios(self, server: int, hour: int) -> dict[str, float]:
        """Family → its largest excess in thresholds over the last day: in less, a shifted rhythm looks like a level,
        and in more, much of what is looked at may lie before the change.
        """
        found = {}
        day = self.ring[self._places(hour, DAY_HOURS), server]
        for rule in RULES:
            columns = self.at[rule.family]
            means = windows.mean(day[:, None, columns])[0]
            beyond = windows.excess(means, self.reference.low[server, columns], self.reference.high[server, columns])
            found[rule.family] = float(np.nanmax(beyond, initial=-1)) / rule.threshold
        return found

    def _course(self, server: int, column: int, hour: int) -> Floats:
        """(hour,) deviations of a tested column from the middle of its range."""
        middle = (self.reference.low[server, column] + self.reference.high[server, column]) / 2
        course: Floats = self.ring[self._places(hour, RING_HOURS), server, column] - middle
        return course

    def _level_course(self, server: int, hour: int) -> Floats:
        """(hour,) values less the usual ones of the target whose level has left its range furthest."""
        columns = self.at["level"]
        hours = self.ring[self._places(hour, RING_HOURS), server, columns]
        low, high = self.reference.low[server, columns], self.reference.high[server, columns]
        beyond = windows.excess(windows.mean(hours[-DAY_HOURS:, None])[0], low, high)
        target = int(np.argmax(np.nan_to_num(beyond, nan=-1)))
        of_day = np.arange(hour - RING_HOURS + 1, hour + 1) % DAY_HOURS
        usual = self.reference.value[server, target, of_day]
        course: Floats = self.values[self._places(hour, RING_HOURS), server, target] - usual
        return course

    def _metric(self, found: Finding) -> str:
        """What the test is about; all targets where it looks at them together."""
        if found.rule.family in ("rhythm", "swing"):
            return ", ".join(self.channels.targets)
        return self.channels.metric(found.rule.family, found.column - self.at[found.rule.family].start)

    def _forget(self, rows: Ints, first_hour: int) -> None:
        """These servers are no longer watched, but learned anew."""
        self.reference.low[rows], self.reference.high[rows] = np.nan, np.nan
        self._learn_anew(rows, first_hour)

    def _learn_anew(self, rows: Ints, first_hour: int) -> None:
        shape = (len(self.channels.targets), self.reference_hours, self.steps_per_hour)
        for begin in range(0, len(rows), CLASS_SERVERS):
            self.classes.append(Class.of(rows[begin : begin + CLASS_SERVERS], first_hour, shape))

    def _graduate(self, next_step: int) -> None:
        """The first class that has heard enough is watched from now on; of those, who hardly spoke begins again."""
        full = next((one for one in self.classes if next_step >= one.end_hour * self.steps_per_hour), None)
        if full is None:
            return
        self.classes = [one for one in self.classes if one is not full]
        reference, columns, values = learn(full.raw, self.channels, full.first_hour)
        known = np.isfinite(reference.high).any(axis=1)
        rows = full.rows[known]
        for name in Reference.__slots__:
            getattr(self.reference, name)[rows] = getattr(reference, name)[known]
        places = self._places(full.end_hour - 1, RING_HOURS)[:, None]
        self.ring[places, rows] = columns[-RING_HOURS:][:, known]
        self.values[places, rows] = values[-RING_HOURS:][:, known]
        if not known.all():
            self._learn_anew(full.rows[~known], -(-next_step // self.steps_per_hour))

    def snapshot(self) -> dict[str, Any]:
        """All that is known, as arrays and numbers; `restore` goes on from there."""
        running, reference = self.running, self.reference
        return {
            "last_step": -1 if self.last_step is None else self.last_step,
            "ring": self.ring.copy(),
            "values": self.values.copy(),
            **{f"running.{name}": getattr(running, name).copy() for name in RunningHour.__slots__},
            **{f"reference.{name}": getattr(reference, name).copy() for name in Reference.__slots__},
            **{
                f"class.{i}.{name}": np.copy(getattr(learners, name))
                for i, learners in enumerate(self.classes)
                for name in Class.__slots__
            },
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from a snapshot of a detector of the same servers, targets, step and reference length."""
        last = int(saved["last_step"])
        self.last_step = None if last < 0 else last
        self.ring, self.values = np.array(saved["ring"]), np.array(saved["values"])
        self.running = RunningHour(**{name: np.array(saved[f"running.{name}"]) for name in RunningHour.__slots__})
        self.reference = Reference(**{name: np.array(saved[f"reference.{name}"]) for name in Reference.__slots__})
        count = len({key.split(".")[1] for key in saved if key.startswith("class.")})
        self.classes = [
            Class(
                np.array(saved[f"class.{i}.rows"]),
                int(saved[f"class.{i}.first_hour"]),
                np.array(saved[f"class.{i}.raw"]),
            )
            for i in range(count)
        ]
