"""Life of a cascade: what is told, when, and when it is over."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from cascade_fleet import STEP_SECONDS, verdict

from argus_cascade.domain.life.cascade import Cascade, followed
from argus_cascade.domain.life.change import Changed, Opened, Origin, Resolved, Updated
from argus_cascade.domain.life.life import opened, over, resolved, updated
from argus_cascade.domain.life.settings import LifeSettings
from argus_cascade.domain.life.severity import score
from argus_cascade.domain.life.words import differences, look_first, names
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.view import View
from argus_common.levels import Level

SETTINGS = LifeSettings(recovery_steps=2, resolve_steps=3, update_steps=3)
TOPOLOGY = Topology.of([("web1", "db1"), ("web2", "db1"), ("web3", "db1")])
CALM = dict.fromkeys(("db1", "web1", "web2", "web3", *(f"calm{i}" for i in range(96))), 0.2)


def view(step: int, *unwell: str, silent: tuple[str, ...] = (), worked_on: tuple[str, ...] = ()) -> View:
    rarity = {**CALM, **dict.fromkeys(unwell, 9.0)}
    return View(
        verdict(step, rarity, frozenset(silent)), STEP_SECONDS, maintenance=lambda server, _step: server in worked_on
    )


def begun(*servers: str, step: int = 10) -> tuple[Cascade, Opened]:
    onsets = {server: step - len(servers) + 1 + i for i, server in enumerate(servers)}
    return opened(Cascade.begun(onsets, 7.0, view(step, *servers), TOPOLOGY), view(step, *servers))


def lived(cascade: Cascade, *unwell: tuple[str, ...], joining: dict[int, str] | None = None) -> Iterator[Changed]:
    """What is told in the steps from 11 on, until it is over."""
    for step, those in enumerate(unwell, start=11):
        now = view(step, *those)
        new = {(joining or {})[step]: step} if step in (joining or {}) else {}
        cascade = followed(cascade, new, now, TOPOLOGY, SETTINGS)
        if over(cascade, step, SETTINGS):
            yield resolved(cascade, now)
            return
        cascade, event = updated(cascade, now, SETTINGS)
        if event is not None:
            yield event


def test_the_opening_tells_all_there_is() -> None:
    cascade, event = begun("db1", "web1")
    assert (event.cascade, event.sequence, event.step, event.opened) == (cascade.id, 0, 10, 10)
    assert [member.server for member in event.members] == ["db1", "web1"]
    assert event.severity is Level.DEGRADED
    assert event.reason.startswith("2 servers fell ill one after the other within 10 min: db1, web1.")
    assert event.look_first == (
        "db1 (generic): cpu_used_pct, 9.0 sigmas beyond its band. It fell ill first; where it began is not clear."
    )


def test_who_most_likely_began_it_is_looked_at_first() -> None:
    cascade = replace(begun("db1", "web1")[0], origins=(Origin("web1", 0.6, ()), Origin("db1", 0.2, ())))
    assert look_first(cascade) == "web1 (generic): cpu_used_pct, 9.0 sigmas beyond its band."


def test_an_origin_that_is_hardly_likely_is_not_named() -> None:
    cascade, event = begun("db1", "web1")
    unsure = replace(cascade, origins=(Origin("web1", 0.1, ()),))
    assert look_first(unsure).startswith("db1 (generic)")
    assert differences(unsure, event, event.severity) == []


def test_of_a_common_cause_no_member_is_named_as_its_origin() -> None:
    onsets = dict.fromkeys(("calm1", "calm2", "calm3"), 10)
    cascade = Cascade.begun(onsets, 7.0, view(10, *onsets), TOPOLOGY)
    certain = replace(cascade, origins=(Origin("calm1", 0.9, ()),))
    assert certain.kind == "common_cause"
    assert look_first(certain) == (
        "What they share: all are generic, all show it in cpu_used_pct. None of them began it. "
        "The farthest out is calm3 (generic): cpu_used_pct, 9.0 sigmas beyond its band."
    )


def test_the_same_cascade_has_the_same_id_and_another_one_has_another() -> None:
    ids = [begun(*servers, step=step)[0] for servers, step in ((("db1", "web1"), 10), (("db1", "web1"), 10))]
    assert ids[0].fingerprint == ids[1].fingerprint
    assert begun("db1", "web1", step=11)[0].fingerprint != ids[0].fingerprint
    assert begun("web2", "web1")[0].fingerprint != ids[0].fingerprint


def test_nothing_new_is_not_told() -> None:
    assert list(lived(begun("db1", "web1")[0], *[("db1", "web1")] * 10)) == []


def test_a_member_that_joins_is_told_once_the_last_event_is_old_enough() -> None:
    told = list(lived(begun("db1", "web1")[0], *[("db1", "web1", "web2")] * 6, joining={11: "web2"}))
    assert [(event.step, event.sequence, event.reason) for event in told] == [(13, 1, "web2 joined.")]


def test_what_makes_it_worse_is_told_at_once() -> None:
    everybody = ("db1", "web1", "web2", "web3")
    told = list(lived(begun("db1", "web1", "web2")[0], *[everybody] * 3, joining={11: "web3"}))
    assert [(event.step, event.severity) for event in told] == [(11, Level.WARNING)]
    assert told[0].reason == "web3 joined; severity degraded → warning."


def test_members_recover_and_fall_ill_again() -> None:
    three, two = ("db1", "web1", "web2"), ("db1", "web1")
    told = list(lived(begun(*three)[0], two, two, two, three, three, three))
    assert [(event.step, event.reason) for event in told] == [(13, "web2 recovered."), (16, "web2 fell ill again.")]


def test_it_is_over_when_fewer_than_two_were_unwell_for_long_enough() -> None:
    told = list(lived(begun("db1", "web1")[0], *[("db1",)] * 20))
    assert isinstance(told[-1], Resolved)
    assert (told[-1].step, told[-1].outcome, told[-1].duration_seconds) == (14, "recovered", 6 * STEP_SECONDS)
    assert told[-1].reason == "1 of 2 members are well again."


def test_a_short_calm_does_not_end_it() -> None:
    both, nobody = ("db1", "web1"), ()
    told = list(lived(begun("db1", "web1")[0], nobody, nobody, nobody, both, both, both, both))
    assert not any(isinstance(event, Resolved) for event in told)


def test_sequence_numbers_rise_by_one_to_the_end() -> None:
    cascade, event = begun("db1", "web1", "web2")
    told = [event, *lived(cascade, *[("db1", "web1")] * 4, *[("db1",)] * 9)]
    assert [event.sequence for event in told] == list(range(len(told)))
    assert isinstance(told[-1], Resolved)


def test_members_that_are_not_heard_of_any_more_are_lost() -> None:
    cascade, _ = begun("db1", "web1")
    for step in range(11, 16):
        now = view(step, silent=("db1", "web1"))
        cascade = followed(cascade, {}, now, TOPOLOGY, SETTINGS)
    assert over(cascade, 15, SETTINGS)
    assert resolved(cascade, now).outcome == "lost"


def test_a_merged_cascade_says_in_which() -> None:
    event = resolved(begun("db1", "web1")[0], view(11, "db1", "web1"), merged_into="f/3/db9")
    assert (event.outcome, event.merged_into) == ("merged", "f/3/db9")


def test_maintenance_silences_but_is_followed_to_its_end() -> None:
    cascade, _ = begun("db1", "web1")
    events: list[Updated | Resolved] = []
    for step in range(11, 30):
        unwell = ("db1", "web1") if step < 18 else ()
        now = view(step, *unwell, worked_on=("db1", "web1") if step < 15 else ())
        cascade = followed(cascade, {}, now, TOPOLOGY, SETTINGS)
        if over(cascade, step, SETTINGS):
            events.append(resolved(cascade, now))
            break
        cascade, event = updated(cascade, now, SETTINGS)
        events += [event] if event else []
    assert [(event.step, event.silenced) for event in events[:2]] == [(13, True), (16, False)]
    assert events[0].reason == "in maintenance."
    assert isinstance(events[-1], Resolved)


@pytest.mark.parametrize(
    ("unwell", "fleet", "risks", "expected"),
    [
        (1, 1000, [], 50.0),
        (2, 1000, [], 50.0),
        (3, 1000, [], 55.8),
        (4, 1000, [], 60.0),
        (8, 1000, [], 70.0),
        (16, 1000, [], 80.0),
        (2, 4, [], 50.0),
        (10, 20, [], 100.0),
        (2, 1000, [10.0, 85.0], 85.0),
    ],
)
def test_severity_is_the_worst_of_count_share_and_risk(
    unwell: int, fleet: int, risks: list[float], expected: float
) -> None:
    assert score(unwell, fleet, risks) == pytest.approx(expected, abs=0.1)


def test_many_names_are_told_by_number() -> None:
    cascade, _ = begun("db1", "web1", "web2", "web3", "calm1", "calm2", "calm3")
    assert names(cascade.members) == "db1, web1, web2, web3, calm1 and 2 more"
