"""A fleet that is watched: steps in, drifts out, at the end of each hour."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from argus_common.events.drift import DriftEvent, DriftOutcome
from argus_common.levels import level_of
from argus_drift.domain.channels import Ints
from argus_drift.domain.detector import HOUR_SECONDS, Detector
from argus_drift.domain.fleet import findings, growth
from argus_drift.domain.fleet.columns import Model, Row, step_of
from argus_drift.domain.fleet.drift import Drift, Told
from argus_drift.domain.fleet.drifts import Drifts, is_news
from argus_drift.domain.fleet.encode import event_of, score_in
from argus_drift.domain.fleet.figures import Figures, figures_of
from argus_drift.domain.fleet.harm import helps, score_of
from argus_drift.domain.fleet.staleness import RECENT_HOURS, Staleness

SILENT_HOURS = 24
"""A server that was not heard of for so long takes part in nothing."""


@dataclass(slots=True)
class Watch:
    """``servers``, ``profiles``, ``models``, ``heard`` (last step): in the order of the arrays' rows.

    ``hours``: number of hours that are closed.
    """

    key: tuple[str, int]
    targets: tuple[str, ...]
    detector: Detector
    staleness: Staleness
    drifts: Drifts
    servers: list[str] = field(default_factory=list)
    profiles: list[str] = field(default_factory=list)
    models: list[Model] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    hours: int = -1

    @classmethod
    def of(cls, key: tuple[str, int], targets: tuple[str, ...]) -> "Watch":
        """Nothing is known. Steps longer than an hour's part are told of by `Detector`."""
        detector = Detector(0, targets, key[1])
        return cls(
            key,
            targets,
            detector,
            Staleness.of(0, len(targets)),
            Drifts(f"{key[0]}/{key[1]}", HOUR_SECONDS // key[1], [], []),
        )

    @property
    def hour_steps(self) -> int:
        """Steps of an hour."""
        return self.detector.steps_per_hour

    @property
    def knots(self) -> np.ndarray:
        """(server, target, knot) of the values in the reference."""
        return self.detector.reference.knots[:, :, 0]

    def step(self, number: int, rows: Mapping[str, Row]) -> list[DriftEvent] | None:
        """Take a step in; what is told at the end of an hour, None = no hour has ended."""
        found, closed = self._close(number // self.hour_steps, number - 1)
        if self.hours < 0 or closed or number % self.hour_steps == 0:
            self._admit(rows, number)
        self._meet(rows, number)
        step = step_of(rows, {server: i for i, server in enumerate(self.servers)}, len(self.targets))
        alarms = self.detector.step(number, step.observed)
        self.staleness.add(step, self.knots)
        told = findings.of_alarms(alarms, self.servers, self.profiles)
        more, ended = self._close((number + 1) // self.hour_steps, number, told)
        if not (closed or ended):
            return None
        return found + more

    def _admit(self, rows: Mapping[str, Row], number: int) -> None:
        """Servers that are new learn from now on."""
        known = set(self.servers)
        new = sorted(server for server in rows if server not in known)
        if not new:
            return
        self.detector = growth.grown(self.detector, len(new), number - 1)
        self.staleness = self.staleness.grown(len(new))
        self.servers += new
        self.profiles += [rows[server].profile for server in new]
        self.models += [rows[server].model for server in new]
        self.heard += [number] * len(new)

    def _meet(self, rows: Mapping[str, Row], number: int) -> None:
        """Remember who spoke, and whose model is another now."""
        changed = np.zeros(len(self.servers), np.bool_)
        for i, server in enumerate(self.servers):
            row = rows.get(server)
            if row is not None:
                changed[i] = row.model != self.models[i]
                self.profiles[i], self.models[i], self.heard[i] = row.profile, row.model, number
        self.staleness.begin_anew(changed)

    def _close(
        self, hours: int, step: int, alarmed: list[findings.Finding] | None = None
    ) -> tuple[list[DriftEvent], bool]:
        """End the hours before ``hours`` that are not ended yet, and judge them."""
        if self.hours < 0:
            self.hours = hours
        behind = hours - self.hours
        if behind <= 0:
            return [], False
        for hour in range(hours - min(behind, RECENT_HOURS), hours):
            self.staleness.end_hour(hour)
        self.hours = hours
        return self._judge(step, alarmed or []), True

    def _judge(self, step: int, alarmed: list[findings.Finding]) -> list[DriftEvent]:
        ended = self.drifts.over(lambda server, kind, joined: self._leaves(server, kind, joined, step))
        stale = findings.of_forecasts(self.staleness, self.servers, self.profiles, self.targets, step, self.hour_steps)
        self.drifts.clarify(alarmed, step)
        taken, found = self.drifts.members(), list[findings.Finding]()
        for one in [*alarmed, *stale]:
            if one.server not in taken:
                taken.add(one.server)
                found.append(one)
        begun = self.drifts.take(found, self._watched(), step)
        events = [self._tell(drift, "cleared", step) for drift in ended]
        events += [self._tell(drift, "detected", step) for drift in begun]
        known = {drift.id for drift in begun}
        updates = [self._update(drift, step) for drift in self.drifts.open if drift.id not in known]
        return events + [event for event in updates if event is not None]

    def _watched(self) -> Counter[str]:
        return Counter(np.array(self.profiles, np.object_)[self.detector.watched].tolist())

    def _leaves(self, server: str, kind: str, joined: int, step: int) -> DriftOutcome | None:
        row = self.servers.index(server)
        if step - self.heard[row] >= SILENT_HOURS * self.hour_steps:
            return "lost"
        if step - joined < RECENT_HOURS * self.hour_steps:
            return None
        if not findings.over(self.staleness, row):
            return None
        if kind in ("error", "calibration"):
            return "returned"
        return "adopted" if self.detector.watched[row] else None

    def figures(self, rows: Ints) -> Figures:
        """The measures over these servers."""
        return figures_of(self.staleness, self.knots, rows)

    def _update(self, drift: Drift, step: int) -> DriftEvent | None:
        if step - drift.told_step < self.hour_steps:
            return None
        figures = self._figures_of(drift)
        answer = helps(figures, drift.kind, self._seen_hours(drift, step)).answer
        severity = level_of(score_in(drift, score_of(figures))).value
        if not is_news(drift, severity, answer, step, self.hour_steps):
            return None
        drift.sequence += 1
        return self._tell(drift, "updated", step)

    def _tell(self, drift: Drift, told: Told, step: int) -> DriftEvent:
        if told == "cleared":
            drift.sequence += 1
        figures = self._figures_of(drift)
        answer, score = helps(figures, drift.kind, self._seen_hours(drift, step)), score_of(figures)
        drift.told_step = step
        drift.told = (f"{drift.scope} {drift.affected}", level_of(score_in(drift, score)).value, answer.answer)
        return event_of(drift, told, self.key, step, figures, self.targets, score, answer)

    def _figures_of(self, drift: Drift) -> Figures:
        places = {server: i for i, server in enumerate(self.servers)}
        return self.figures(np.array([places[server] for server in drift.members], np.int64))

    def _seen_hours(self, drift: Drift, step: int) -> float:
        return max(0, step + 1 - drift.since) / self.hour_steps
