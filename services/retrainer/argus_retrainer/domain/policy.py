"""Whether to train now: causes, and what stands against it. Every refusal has a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from argus_common.events import TrainingCause
from argus_common.events.training import RefusedReason
from argus_retrainer.domain.causes import Refusal
from argus_retrainer.domain.history import History

WEEK_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Rules:
    """``cool_down`` after a training began; ``per_week`` trainings at most; ``age`` after which one is due without any
    other cause; ``least_days`` of windows in the archive; ``most_at_risk``: share of servers with a warning or worse
    up to which a fleet counts as quiet; ``patience``: a cause that could not be served for so long is given up.
    """

    cool_down: timedelta = timedelta(hours=24)
    per_week: int = 3
    age: timedelta = timedelta(days=30)
    least_days: int = 9
    most_at_risk: float = 0.05
    patience: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so now. ``archive_days``: dates of the largest fleet. ``at_risk``: share of servers with a warning or
    worse, of the fleet that is worst, None = no forecast was seen. ``cascades``: ids of the open ones.
    """

    now_ms: int
    archive_days: int
    at_risk: float | None
    cascades: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands against training now."""

    reason: RefusedReason
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """``start``: causes that one training answers now, empty = none begins. ``refusals``: not told of before."""

    start: tuple[TrainingCause, ...]
    refusals: tuple[Refusal, ...]


def decide(
    asked: Sequence[TrainingCause], history: History, facts: Facts, rules: Rules, useless: Sequence[Refusal] = ()
) -> Decision:
    """Which causes to train for now, all of them together, and what to tell of the others.

    Args:
        asked: causes that no training answers yet.
        history: of the model.
        facts: of this moment.
        rules: what is allowed.
        useless: causes that no training would help.
    """
    old = [cause for cause in asked if facts.now_ms - cause.asked_ms > _ms(rules.patience)]
    alive = [*(cause for cause in asked if cause not in old), *_aged(history, facts, rules)]
    obstacle = _obstacle(history, facts, rules) if alive else None
    given_up = [Refusal(cause, "expired", f"not served within {rules.patience.days} days") for cause in old]
    waiting = [] if obstacle is None else [Refusal(cause, obstacle.reason, obstacle.detail) for cause in alive]
    new = [one for one in (*useless, *given_up, *waiting) if not history.was_told(one.cause.id, one.reason)]
    return Decision(() if obstacle else tuple(alive), tuple(new))


def _aged(history: History, facts: Facts, rules: Rules) -> list[TrainingCause]:
    """The cause that nobody asks for: no model yet, or none trained for long."""
    last = history.last_change_ms()
    if history.running() is not None or (last is not None and facts.now_ms - last < _ms(rules.age)):
        return []
    told = "no model was trained yet" if last is None else f"nothing was trained for {rules.age.days} days"
    since = "first" if last is None else str(last)
    asked = facts.now_ms if last is None else last + _ms(rules.age)
    return [TrainingCause(kind="age", id=f"age/{history.model}/{since}", asked_ms=asked, reason=told)]


def _obstacle(history: History, facts: Facts, rules: Rules) -> Obstacle | None:
    starts, now = history.starts(), facts.now_ms
    week = [start for start in starts if now - start < WEEK_MS]
    running = history.running()
    if running is not None:
        return Obstacle("running", f"{running.version} is being trained")
    if starts and now - starts[-1] < _ms(rules.cool_down):
        hours = (_ms(rules.cool_down) - (now - starts[-1])) / 3_600_000
        return Obstacle("cool_down", f"a training began lately: again in {hours:.0f} h")
    if len(week) >= rules.per_week:
        return Obstacle("weekly_limit", f"{len(week)} trainings began in the last seven days")
    if facts.cascades:
        return Obstacle("cascade_open", f"{len(facts.cascades)} open, such as {facts.cascades[0]}"[:1000])
    if facts.at_risk is not None and facts.at_risk > rules.most_at_risk:
        return Obstacle(
            "risk_high", f"{facts.at_risk:.0%} of the servers are at risk, {rules.most_at_risk:.0%} is quiet"
        )
    if facts.archive_days < rules.least_days:
        return Obstacle("too_little_data", f"{facts.archive_days} days in the archive, {rules.least_days} are needed")
    return None


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
