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
            np.full((servers, len(targets), DAY_HOURS), unknown),
            np.full((servers, width), unknown),
            np.full((servers, width), unknown),
        )
        self.ring = np.full((RING_HOURS, servers, width), unknown)
        self.classes: list[Class] = []
        self.last_step: int | None = None

    @property
    def watched(self) -> npt.NDArray[np.bool_]:
        """(server,) whether a reference is known."""
        found: npt.NDArray[np.bool_] = np.isfinite(self.reference.high).any(axis=1)
        return found

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
        if within < self.steps_per_hour - 1:
            return []
        return self._end_hour(hour, number)

    def _end_hour(self, hour: int, number: int) -> list[Alarm]:
        means = self.running.close(self.steps_per_hour)
        expected = self.reference.expected[:, :, hour % DAY_HOURS]
        self.ring[hour % RING_HOURS] = tested(self.channels, means, expected)
        findings = self._findings(hour)
        alarms = [self._alarm(server, found, hour, number) for server, found in findings.items()]
        if alarms:
            self._forget(np.array(sorted(findings), np.int64), hour + 1)
        self._graduate(hour)
        return alarms

    def _findings(self, hour: int) -> dict[int, list[Finding]]:
        """Per server, in rising order, the tests that it fails."""
        found: dict[int, list[Finding]] = {}
        for rule in RULES:
            columns = self.at[rule.family]
            low, high = self.reference.low[:, columns], self.reference.high[:, columns]
            means = windows.mean(self.ring[self._places(hour, rule.hours), :, columns])
            server, column = np.nonzero(windows.excess(means, low, high) > rule.threshold)
            for i, j, value in zip(*self._forgiven(rule, hour, server, column + columns.start), strict=True):
                found.setdefault(int(i), []).append(Finding(int(i), rule, int(j), float(value)))
        return dict(sorted(found.items()))

    def _forgiven(self, rule: Rule, hour: int, server: Ints, column: Ints) -> tuple[Ints, Ints, Floats]:
        """Those that fail even without their worst hours, with what remains."""
        hours = self.ring[self._places(hour, rule.hours)][:, server, column].T
        value = windows.forgiving_excess(hours, self.reference.low[server, column], self.reference.high[server, column])
        fails = value > rule.threshold
        return server[fails], column[fails], value[fails]

    def _places(self, hour: int, hours: int) -> Ints:
        """(hour,) places in the ring of the last hours, oldest first."""
        return np.arange(hour - hours + 1, hour + 1) % RING_HOURS

    def _alarm(self, server: int, findings: list[Finding], hour: int, number: int) -> Alarm:
        worst = max(findings, key=lambda found: found.value / found.rule.threshold)
        ratios = self._ratios(server, hour)
        begin = self._began(server, worst.column, hour)
        return Alarm(
            server=server,
            metric=self._metric(worst, server, hour),
            step=number,
            kind=kinds.kind_of(ratios, self._level_course(server, hour)),
            statistic=f"{worst.rule.family}_{worst.rule.hours}h",
            value=worst.value,
            threshold=worst.rule.threshold,
            since=(hour - RING_HOURS + 1 + begin) * self.steps_per_hour,
        )

    def _ratios(self, server: int, hour: int) -> dict[str, float]:
        """Family → its largest excess in thresholds, nothing forgiven."""
        found = {}
        for rule in RULES:
            columns = self.at[rule.family]
            means = windows.mean(self.ring[self._places(hour, rule.hours), server, columns][:, None])[0]
            beyond = windows.excess(means, self.reference.low[server, columns], self.reference.high[server, columns])
            found[rule.family] = float(np.nanmax(beyond, initial=-1)) / rule.threshold
        return found

    def _began(self, server: int, column: int, hour: int) -> int:
        """Hour of the ring with which the change began."""
        hours = self.ring[self._places(hour, RING_HOURS), server, column]
        low, high = self.reference.low[server, column], self.reference.high[server, column]
        deviations = hours - (low + high) / 2
        lately = np.nanmean(deviations[-DAY_HOURS // 2 :])
        return kinds.began(deviations if lately >= 0 else -deviations)

    def _level_course(self, server: int, hour: int) -> Floats:
        """(hour,) of the level that has left its range furthest."""
        columns = self.at["level"]
        hours = self.ring[self._places(hour, RING_HOURS), server, columns]
        low, high = self.reference.low[server, columns], self.reference.high[server, columns]
        beyond = windows.excess(windows.mean(hours[-DAY_HOURS:, None])[0], low, high)
        return hours[:, int(np.argmax(np.nan_to_num(beyond, nan=-1)))]

    def _metric(self, found: Finding, server: int, hour: int) -> str:
        """What the test is about; of the profile, the target whose swing is furthest from what is expected."""
        if found.rule.family == "profile":
            return ", ".join(self.channels.targets)
        return self.channels.metric(found.rule.family, found.column - self.at[found.rule.family].start)

    def _forget(self, rows: Ints, first_hour: int) -> None:
        """These servers are no longer watched, but learned anew."""
        self.reference.low[rows], self.reference.high[rows] = np.nan, np.nan
        self._learn_anew(rows, first_hour)

    def _learn_anew(self, rows: Ints, first_hour: int) -> None:
        shape = (len(self.channels.targets), self.reference_hours, self.steps_per_hour)
        self.classes.append(Class.of(rows, first_hour, shape))

    def _graduate(self, hour: int) -> None:
        """Who has learned enough is watched from the next hour on; who was hardly heard of begins again."""
        full = [learners for learners in self.classes if learners.is_full(hour)]
        self.classes = [learners for learners in self.classes if not learners.is_full(hour)]
        for learners in full:
            reference, columns = learn(learners.raw, self.channels, learners.first_hour)
            known = np.isfinite(reference.high).any(axis=1)
            rows = learners.rows[known]
            for name in ("knots", "expected", "low", "high"):
                getattr(self.reference, name)[rows] = getattr(reference, name)[known]
            self.ring[self._places(hour, RING_HOURS)[:, None], rows] = columns[-RING_HOURS:][:, known]
            if not known.all():
                self._learn_anew(learners.rows[~known], hour + 1)

    def snapshot(self) -> dict[str, Any]:
        """All that is known, as arrays and numbers; `restore` goes on from there."""
        running, reference = self.running, self.reference
        return {
            "last_step": -1 if self.last_step is None else self.last_step,
            "ring": self.ring.copy(),
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
        self.ring = np.array(saved["ring"])
        self.running = RunningHour(**{name: np.array(saved[f"running.{name}"]) for name in RunningHour.__slots__})
        self.reference = Reference(**{name: np.array(saved[f"reference.{name}"]) for name in Reference.__slots__})
        count = len({key.split(".")[1] for key in saved if key.startswith("class.")})
        self.classes = [
            Class(np.array(saved[f"class.{i}.rows"]), int(saved[f"class.{i}.first_hour"]), np.array(saved[f"class.{i}.raw"]))
            for i in range(count)
        ]
