"""From forecasts to alerts: the rule's next state for every server, and events where something happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.events import AlertEvent, BreachEnded, BreachExpected, BreachUpdated, alert_id
from argus_common.levels import FLOORS, Level, level_of
from argus_forecasting.alarms import AlarmRule, AlarmState, Happened, Phase, Sight, advance, fall_silent
from argus_forecasting.alarms import Outcome as Ending
from argus_forecasting.forecaster import Floats, Ints, Mask
from argus_inference.domain.alert_state import Told, fold, unfold
from argus_inference.domain.alert_text import band, ended_because, standing_because, time_to_threshold
from argus_inference.domain.encode import WITHIN_NAMES
from argus_inference.domain.outcome import Outcome
from argus_inference.domain.risk import contributions
from argus_inference.domain.series import Targets

UPDATE_SECONDS = 900
"""Least time between updates of an alert, but for its crossing and for a narrower promise."""
REPEAT_SECONDS = 3600
"""An alert that stands is told again after so long, even if nothing has changed."""
MOVED = 0.2
"""Change of the promised probability that is worth an update."""

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Followed:
    """``rows``: (server, target, number) to be kept. ``events``: per server, in the order of the targets.
    ``levels``: (server, target) level of each alert that stands, None where none does.
    """

    rows: Floats
    events: list[list[AlertEvent]]
    levels: list[list[Level | None]]


def follow(
    rule: AlarmRule, kept: Floats, elapsed: Ints, outcome: Outcome, levels: tuple[float, ...], targets: Targets,
    acted: Mask,
) -> Followed:  # fmt: skip
    """Take the forecasts of a group in.

    Args:
        rule: when to raise and to end.
        kept: (server, target, number) what was remembered.
        elapsed: (server,) steps since then, 0 = nothing was.
        outcome: the forecasts.
        levels: their quantile levels.
        targets: their targets.
        acted: (server, target) whether someone acts on an alert, or works on the server.
    """
    shape = kept.shape[:2]
    alarm, told = unfold(kept)
    sight = Sight(
        outcome.probability.reshape(-1, outcome.probability.shape[-1]),
        outcome.beyond(targets).reshape(-1, outcome.recent.shape[-1]),
        ~np.isnan(outcome.recent).reshape(-1, outcome.recent.shape[-1]),
        np.repeat(elapsed, shape[1]),
        acted.reshape(-1),
        outcome.windows[0].step_seconds,
    )
    alarm, happened = advance(rule, alarm, sight)
    told.ago = (told.ago + sight.elapsed).astype(np.float32)
    teller = _Teller(rule, alarm, told, happened, outcome, levels, targets)
    events = teller.events()
    return Followed(fold(alarm, told, shape), events, teller.standing_levels())


class _Teller:
    """Says what happened to the series of a group."""

    def __init__(
        self, rule: AlarmRule, alarm: AlarmState, told: Told, happened: Happened, outcome: Outcome,
        levels: tuple[float, ...], targets: Targets,
    ) -> None:  # fmt: skip
        self._rule, self._alarm, self._told, self._happened = rule, alarm, told, happened
        self._outcome, self._levels, self._targets = outcome, levels, targets
        spans = np.array([promise.span for promise in rule.promises])
        self._span = spans[alarm.promise.astype(int)]
        flat = outcome.probability.reshape(len(self._span), -1)
        self._chance = np.nan_to_num(flat[np.arange(len(flat)), self._span])
        crossed = (alarm.phase == Phase.BREACHED).reshape(outcome.limits.shape)
        lone = 100 * contributions(outcome.probability, crossed, targets.severity()).reshape(-1)
        self._risk = np.maximum(np.clip(lone, 0, 100), FLOORS[Level.DEGRADED])

    def events(self) -> list[list[AlertEvent]]:
        """Per server."""
        found: list[list[AlertEvent]] = [[] for _ in self._outcome.windows]
        ended, raised = self._happened.outcome != Ending.NONE, self._happened.raised
        for k in np.flatnonzero(ended | raised | self._worth_an_update()).tolist():
            if raised[k]:
                self._told.sequence[k] = 0
                self._told.limit[k] = self._outcome.limits.reshape(-1)[k]
            event = self._ended(k) if ended[k] else self._standing(k, BreachExpected if raised[k] else BreachUpdated)
            found[k // len(self._targets.metrics)].append(event)
            self._told.sequence[k] += 1
            self._told.ago[k], self._told.probability[k], self._told.risk[k] = 0, self._chance[k], self._risk[k]
        return found

    def standing_levels(self) -> list[list[Level | None]]:
        """(server, target)."""
        flat = [
            level_of(risk) if stands else None
            for risk, stands in zip(self._risk.tolist(), self._alarm.standing().tolist(), strict=True)
        ]
        width = len(self._targets.metrics)
        return [flat[i : i + width] for i in range(0, len(flat), width)]

    def _worth_an_update(self) -> Mask:
        step_seconds, told = self._outcome.windows[0].step_seconds, self._told
        soon, again = (AlarmRule.steps(seconds, step_seconds) for seconds in (UPDATE_SECONDS, REPEAT_SECONDS))
        moved = (np.abs(self._chance - told.probability) >= MOVED) & (self._alarm.phase == Phase.EXPECTED)
        changed = moved | (_level_numbers(self._risk) != _level_numbers(told.risk.astype(np.float64)))
        due = ((told.ago >= soon) & changed) | (told.ago >= again) | self._happened.crossed | self._happened.narrowed
        worth: Mask = self._alarm.standing() & due
        return worth

    def _common(self, k: int) -> dict[str, object]:
        i, t = divmod(k, len(self._targets.metrics))
        window, metric = self._outcome.windows[i], self._targets.metrics[t]
        return _identity(
            window.fleet, window.server, metric.name, metric.harm or 1, window.step_seconds, window.step,
            self._happened, self._told, k,
        )  # fmt: skip

    def _standing(self, k: int, kind: type[BreachExpected] | type[BreachUpdated]) -> AlertEvent:
        i, t = divmod(k, len(self._targets.metrics))
        outcome, window, metric = self._outcome, self._outcome.windows[i], self._targets.metrics[t]
        common = self._common(k)
        body = common | {
            "profile": window.profile,
            "phase": "breached" if self._alarm.phase[k] == Phase.BREACHED else "expected",
            "within": "" if self._alarm.late[k] else WITHIN_NAMES[self._span[k]],
            "probability": {
                name: round(p, 4) for name, p in zip(WITHIN_NAMES, outcome.probability[i, t].tolist(), strict=True)
            },
            "time_to_threshold": time_to_threshold(outcome.time_to_threshold[i, t]),
            "band": band(outcome.quantiles[i, t], self._levels, window.step_seconds),
            "observed": window.metrics.get(metric.name),
            "crossed": _crossed(self._happened, window.step, k),
            "risk": round(float(self._risk[k]), 1),
            "level": level_of(round(float(self._risk[k]), 1)),
        }
        return kind.model_validate(body | {"reason": standing_because(body, late=bool(self._alarm.late[k]))})

    def _ended(self, k: int) -> AlertEvent:
        window = self._outcome.windows[k // len(self._targets.metrics)]
        return _ending(self._common(k), self._happened, window.step, k)


def silence(
    rows: Floats, names: Sequence[tuple[str, str]], steps: Ints, step_seconds: int, targets: Targets
) -> tuple[Floats, list[list[AlertEvent]]]:
    """(rows to be kept, events per server) of servers that have fallen silent: every alert of theirs ends.

    Args:
        rows: (server, target, number) what is remembered.
        names: (fleet, server) of each.
        steps: (server,) their last step.
        step_seconds: its length.
        targets: the targets.
    """
    alarm, told = unfold(rows)
    alarm, happened = fall_silent(alarm)
    width = len(targets.metrics)
    found: list[list[AlertEvent]] = [[] for _ in names]
    for k in np.flatnonzero(happened.outcome != Ending.NONE).tolist():
        (fleet, server), metric, step = names[k // width], targets.metrics[k % width], int(steps[k // width])
        common = _identity(fleet, server, metric.name, metric.harm or 1, step_seconds, step, happened, told, k)
        found[k // width].append(_ending(common, happened, step, k))
        told.sequence[k] += 1
    return fold(alarm, told, rows.shape[:2]), found


def standing_ids(
    rows: Floats, names: Sequence[tuple[str, str]], steps: Ints, step_seconds: int, targets: Targets
) -> Iterator[tuple[int, int, str]]:
    """(server, target, id) of every alert that stands in ``rows``; arguments as for `silence`."""
    alarm, _ = unfold(rows)
    width = len(targets.metrics)
    for k in np.flatnonzero(alarm.standing()).tolist():
        i, t = divmod(k, width)
        metric, since = targets.metrics[t], int(steps[i]) - int(alarm.since[k])
        yield i, t, alert_id(*names[i], metric.name, metric.harm or 1, step_seconds, since)


def _identity(
    fleet: str,
    server: str,
    target: str,
    harm: int,
    step_seconds: int,
    step: int,
    happened: Happened,
    told: Told,
    k: int,
) -> dict[str, object]:
    since = step - int(happened.since[k])
    return {
        "alert": alert_id(fleet, server, target, harm, step_seconds, since),
        "sequence": int(told.sequence[k]),
        "fleet": fleet,
        "server": server,
        "target": target,
        "limit": round(float(told.limit[k]), 6),
        "harm": harm,
        "step_seconds": step_seconds,
        "origin": step,
        "since": since,
    }


def _ending(common: dict[str, object], happened: Happened, step: int, k: int) -> BreachEnded:
    step_seconds = int(str(common["step_seconds"]))
    lead = float(happened.lead[k])
    body = common | {
        "outcome": Ending(int(happened.outcome[k])).name.lower(),
        "lead_time_seconds": None if np.isnan(lead) else round(lead) * step_seconds,
        "peak_probability": round(float(np.clip(happened.peak[k], 0, 1)), 4),
        "crossed": _crossed(happened, step, k),
    }
    return BreachEnded.model_validate(body | {"reason": ended_because(body)})


def _crossed(happened: Happened, step: int, k: int) -> int | None:
    age = float(happened.crossing[k])
    return None if np.isnan(age) else step - round(age)


def _level_numbers(risk: Doubles) -> Ints:
    """(series,) number of the level of each risk, the worst first."""
    floors = np.array(sorted(FLOORS.values()))
    return np.searchsorted(floors, risk, side="right").astype(np.int64)
