"""When a model is trained anew, and why not."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from drift_events import drift_cleared, drift_detected, drift_updated
from hypothesis import given
from hypothesis import strategies as st

from argus_common.events import (
    ModelPromoted,
    ModelRejected,
    ModelRolledBack,
    RetrainRefused,
    RetrainRequested,
    TrainingCancelRequested,
    TrainingCause,
    TrainingFailed,
    TrainingStarted,
)
from argus_common.events.gate import GateResult
from argus_common.lineage import ModelTopicEvent
from argus_retrainer.domain.causes import Causes
from argus_retrainer.domain.history import History
from argus_retrainer.domain.policy import Facts, Rules, decide

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_735_689_600_000
RULES = Rules()
QUIET = Facts(NOW, archive_days=30, at_risk=0.0, cascades=())
SHA = "0" * 64
GATE = GateResult(passed=False, held_out_from_ms=0, held_out_until_ms=1, windows=1, servers=1, checks=[])


def cause(name: str = "drift/1", asked_ms: int = NOW - HOUR, kind: str = "drift") -> TrainingCause:
    return TrainingCause(kind=kind, id=name, asked_ms=asked_ms)


def started(version: str, at_ms: int, *causes: TrainingCause, model: str = "fleet") -> TrainingStarted:
    return TrainingStarted(model=model, version=version, causes=list(causes or (cause(version),)), started_ms=at_ms)


def failed(version: str, reason: str = "crashed") -> TrainingFailed:
    return TrainingFailed(model="fleet", version=version, reason=reason, failed_ms=NOW)


def rejected(version: str) -> ModelRejected:
    return ModelRejected(
        model="fleet", version=version, family="residual", manifest_sha256=SHA, gate=GATE, rejected_ms=NOW
    )


def promoted(version: str, at_ms: int) -> ModelPromoted:
    return ModelPromoted(model="fleet", version=version, family="residual", manifest_sha256=SHA, promoted_ms=at_ms)


def history(*events: ModelTopicEvent) -> History:
    made = History("fleet")
    for event in events:
        made.add(event)
    return made


RECENT = (started("r", NOW - 2 * DAY), promoted("r", NOW - 2 * DAY))
"""So that no training is due by age alone."""


def refused(asked: Sequence[TrainingCause], past: History, facts: Facts = QUIET) -> list[tuple[str, str]]:
    found = decide(asked, past, facts, RULES)
    assert found.start == ()
    return [(refusal.cause.id, refusal.reason) for refusal in found.refusals]


def test_a_quiet_fleet_with_a_cause_and_data_is_trained() -> None:
    found = decide([cause()], history(*RECENT), QUIET, RULES)
    assert ([one.id for one in found.start], found.refusals) == (["drift/1"], ())


def test_without_a_cause_nothing_happens() -> None:
    assert decide([], history(*RECENT), QUIET, RULES) == decide(
        [], history(*RECENT), replace(QUIET, at_risk=1.0), RULES
    )
    assert decide([], history(*RECENT), QUIET, RULES).start == ()


def test_one_training_answers_all_causes_that_wait() -> None:
    found = decide([cause("a"), cause("b")], history(*RECENT), QUIET, RULES)
    assert [one.id for one in found.start] == ["a", "b"]


@pytest.mark.parametrize(
    ("events", "facts", "reason"),
    [
        ((started("1", NOW - HOUR),), QUIET, "running"),
        ((started("1", NOW - HOUR), rejected("1")), QUIET, "cool_down"),
        ((started("1", NOW - 24 * HOUR + 1), rejected("1")), QUIET, "cool_down"),
        (
            tuple(e for i in (2, 3, 4) for e in (started(str(i), NOW - i * DAY), rejected(str(i)))),
            QUIET,
            "weekly_limit",
        ),
        (RECENT, replace(QUIET, cascades=("c1",)), "cascade_open"),
        (RECENT, replace(QUIET, at_risk=0.051), "risk_high"),
        (RECENT, replace(QUIET, archive_days=8), "too_little_data"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_stands_against_a_training_is_told(events: tuple[ModelTopicEvent, ...], facts: Facts, reason: str) -> None:
    assert refused([cause()], history(*events), facts) == [("drift/1", reason)]


@pytest.mark.parametrize(
    ("events", "facts"),
    [
        ((started("1", NOW - 24 * HOUR), rejected("1")), QUIET),
        (tuple(e for i in (2, 3, 8) for e in (started(str(i), NOW - i * DAY), rejected(str(i)))), QUIET),
        (RECENT, replace(QUIET, at_risk=0.05)),
        (RECENT, replace(QUIET, at_risk=None)),
        (RECENT, replace(QUIET, archive_days=9)),
    ],
    ids=["a day after the last", "two this week", "just quiet", "no forecast seen", "just enough days"],
)
def test_at_the_bound_a_training_begins(events: tuple[ModelTopicEvent, ...], facts: Facts) -> None:
    assert decide([cause()], history(*events), facts, RULES).start == (cause(),)


def test_a_refusal_is_told_once_and_another_reason_is_told_too() -> None:
    told = RetrainRefused(model="fleet", cause=cause(), reason="cascade_open", refused_ms=NOW)
    past = history(*RECENT, told)
    assert refused([cause()], past, replace(QUIET, cascades=("c",))) == []
    assert refused([cause()], past, replace(QUIET, at_risk=0.5)) == [("drift/1", "risk_high")]


def test_a_cause_that_waited_for_a_week_is_given_up() -> None:
    old = cause(asked_ms=NOW - 7 * DAY - 1)
    assert refused([old], history(*RECENT)) == [("drift/1", "expired")]
    assert decide([old, cause("new")], history(*RECENT), QUIET, RULES).start == (cause("new"),)


def test_a_model_is_trained_where_there_is_none_and_after_thirty_days() -> None:
    (first,) = decide([], history(), QUIET, RULES).start
    assert (first.kind, first.id) == ("age", "age/fleet/first")
    aged = history(started("1", NOW - 31 * DAY), promoted("1", NOW - 30 * DAY))
    (again,) = decide([], aged, QUIET, RULES).start
    assert (again.id, again.asked_ms) == (f"age/fleet/{NOW - 30 * DAY}", NOW)
    assert decide([], aged, replace(QUIET, now_ms=NOW - 1), RULES).start == ()


def test_a_first_training_that_failed_is_due_again_after_the_cool_down() -> None:
    past = history(started("1", NOW - 25 * HOUR), failed("1"))
    (again,) = decide([], past, QUIET, RULES).start
    assert again.id == "age/fleet/first"
    assert decide([], history(started("1", NOW - 25 * HOUR), failed("1", "cancelled")), QUIET, RULES).start == ()


def test_a_version_that_was_promoted_by_hand_counts_as_young() -> None:
    assert decide([], history(promoted("9", NOW - DAY)), QUIET, RULES).start == ()


def test_a_training_that_runs_is_not_too_old() -> None:
    assert refused([], history(started("1", NOW - 40 * DAY))) == []


def test_a_training_of_another_model_is_none_of_ours() -> None:
    past = history(*RECENT, started("1", NOW - HOUR, model="other"))
    assert decide([cause()], past, QUIET, RULES).start == (cause(),)


def test_a_training_runs_until_the_topic_says_how_it_ended() -> None:
    assert history(started("1", NOW)).running() == started("1", NOW)
    for end in (promoted("1", NOW), rejected("1"), failed("1")):
        assert history(started("1", NOW), end).running() is None
    assert history(started("1", NOW - 1), started("2", NOW), failed("2")).running() is None, "an older one is over"


@pytest.mark.parametrize(
    ("reason", "still"), [("crashed", True), ("time_limit", True), ("data", True), ("cancelled", False)]
)
def test_after_a_failure_a_cause_still_stands_unless_somebody_cancelled(reason: str, still: bool) -> None:
    causes = Causes("fleet")
    causes.add_drift(drift_detected("d1"), NOW)
    past = history(started("1", NOW, cause("d1")), failed("1", reason))
    assert bool(causes.pending(past.answered())) is still


def test_a_rejected_version_answers_its_causes() -> None:
    causes = Causes("fleet")
    causes.add_drift(drift_detected("d1"), NOW)
    assert causes.pending(history(started("1", NOW, cause("d1")), rejected("1")).answered()) == []


def test_drift_that_is_over_is_no_cause_even_if_its_beginning_is_told_again() -> None:
    causes = Causes("fleet")
    causes.add_drift(drift_detected("d1"), NOW)
    causes.add_drift(drift_detected("d2"), NOW + 1)
    causes.add_drift(drift_detected("d1"), NOW + 5)
    assert [(one.id, one.asked_ms) for one in causes.pending(set())] == [("d1", NOW), ("d2", NOW + 1)]
    causes.add_drift(drift_cleared("d1"), NOW + 6)
    causes.add_drift(drift_cleared("unheard of"), NOW + 6)
    causes.add_drift(drift_detected("d1"), NOW + 7)
    assert [one.id for one in causes.pending(set())] == ["d2"]


@pytest.mark.parametrize(
    ("scope", "helps", "refusal"),
    [
        ("fleet", "yes", None),
        ("profile", "yes", None),
        ("profile", "unknown", None),
        ("fleet", "no", "no_help"),
        ("profile", "no", "no_help"),
        ("server", "yes", "single_servers"),
        ("server", "unknown", "single_servers"),
        ("server", "no", "single_servers"),
    ],
)
def test_a_drift_of_many_that_a_training_may_help_is_a_cause_any_other_is_refused(
    scope: str, helps: str, refusal: str | None
) -> None:
    causes = Causes("fleet")
    causes.add_drift(drift_detected("d1", scope=scope, retraining_helps=helps), NOW)
    asked = causes.pending(set())
    found = decide(asked, history(*RECENT), QUIET, RULES, causes.useless(set()))
    assert [one.id for one in found.start] == ([] if refusal else ["d1"])
    assert [one.reason for one in found.refusals] == ([refusal] if refusal else [])


def test_a_useless_drift_is_refused_once_and_keeps_no_other_cause_back() -> None:
    causes = Causes("fleet")
    causes.add_drift(drift_detected("d1", retraining_helps="no", retraining_reason="it returns"), NOW)
    causes.add_drift(drift_detected("d2"), NOW)
    found = decide(causes.pending(set()), history(*RECENT), QUIET, RULES, causes.useless(set()))
    assert [one.id for one in found.start] == ["d2"]
    ((refused_cause, reason, detail),) = [(one.cause, one.reason, one.detail) for one in found.refusals]
    assert (refused_cause.id, reason, detail) == ("d1", "no_help", "it returns")
    told = RetrainRefused(model="fleet", cause=refused_cause, reason="no_help", refused_ms=NOW)
    again = decide([], history(*RECENT, told), QUIET, RULES, causes.useless(set()))
    assert (again.start, again.refusals) == ((), ())


def test_a_drift_that_becomes_worth_a_training_is_one_cause_asked_for_from_then_on() -> None:
    causes = Causes("fleet")
    causes.add_drift(drift_detected("d1", retraining_helps="no"), NOW - 30 * DAY)
    assert causes.pending(set()) == []
    causes.add_drift(drift_updated("d1", 1, retraining_helps="unknown"), NOW)
    causes.add_drift(drift_updated("d1", 2, retraining_helps="yes"), NOW + 5)
    causes.add_drift(drift_updated("d1", 1, retraining_helps="no"), NOW + 6)
    assert [(one.id, one.asked_ms) for one in causes.pending(set())] == [("d1", NOW)]
    assert causes.pending({"d1"}) == [], "one that a training answers asks for no second"
    causes.add_drift(drift_updated("d1", 3, retraining_helps="no"), NOW + 7)
    assert causes.pending(set()) == []


def test_a_drift_whose_detection_the_topic_has_forgotten_is_a_cause_all_the_same() -> None:
    causes = Causes("fleet")
    causes.add_drift(drift_updated("d1", 4), NOW)
    assert [one.id for one in causes.pending(set())] == ["d1"]


def test_commands_of_our_model_are_causes_and_cancels_concern_what_began_before() -> None:
    causes = Causes("fleet")
    causes.add_command(RetrainRequested(model="fleet", requested_ms=NOW, by="ann", reason="new release"))
    causes.add_command(RetrainRequested(model="other", requested_ms=NOW))
    (asked,) = causes.pending(set())
    assert (asked.id, asked.reason) == (f"retrainer/retrain/fleet/{NOW}", "ann: new release")
    assert causes.cancel_of(NOW) is None
    cancel = TrainingCancelRequested(model="fleet", requested_ms=NOW + 5)
    causes.add_command(cancel)
    causes.add_command(TrainingCancelRequested(model="fleet", requested_ms=NOW + 1))
    assert causes.cancel_of(NOW + 5) == cancel
    assert causes.cancel_of(NOW + 6) is None


def test_what_serves_and_since_when_follows_promotions_and_rollbacks() -> None:
    back = ModelRolledBack(model="fleet", version="1", withdrawn_version="2", rolled_back_ms=NOW + 9)
    past = history(promoted("1", NOW), promoted("2", NOW + 5))
    assert (past.lineage(), past.promotion()) == (("1", "2"), promoted("2", NOW + 5))
    past.add(back)
    assert (past.lineage(), past.promotion()) == (("1",), None)


@given(st.lists(st.integers(0, 60 * 24), max_size=40), st.integers(0, 4))
def test_never_two_within_the_cool_down_and_never_more_than_three_a_week(hours: list[int], offset: int) -> None:
    past, starts = history(), list[int]()
    for number, hour in enumerate(sorted(hours)):
        now = NOW + hour * HOUR + offset
        facts = replace(QUIET, now_ms=now)
        if decide([cause(f"d{number}", now)], past, facts, RULES).start:
            starts.append(now)
            past.add(started(f"v{number}", now))
            past.add(rejected(f"v{number}"))
    assert all(b - a >= DAY for a, b in pairwise(starts))
    assert all(len([s for s in starts if 0 <= s - begin < 7 * DAY]) <= 3 for begin in starts)
