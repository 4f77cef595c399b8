"""From surprises to who is abnormal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_cascade.domain.evidence import Evidence, EvidenceSettings
from argus_cascade.domain.tick import Floats
from argus_cascade.domain.verdict import Verdict

FLEET = tuple(f"s{i:02d}" for i in range(6))
TARGETS = ("cpu_used_pct", "mem_used_pct", "queue_length")
HARM = np.array([1.0, 1.0, 0.0])


def calm(steps: int, seed: int = 0, servers: int = len(FLEET)) -> Floats:
    return np.random.default_rng(seed).normal(size=(steps, servers, len(TARGETS)))


def watched(z: Floats, evidence: Evidence | None = None, first: int = 0) -> list[Verdict]:
    evidence = evidence or Evidence("default", TARGETS, HARM)
    return [evidence.observe(first + i, FLEET, row) for i, row in enumerate(z)]


def test_a_sudden_surprise_is_abnormal_at_once_and_only_on_its_server() -> None:
    z = calm(600)
    z[599, 2, 0] = 9.0
    last = watched(z)[-1]
    assert last.abnormal.tolist() == [False, False, True, False, False, False]
    assert last.onset[2] == 599
    assert last.surprise[2, 0] == 9.0
    assert last.strength[2].argmax() == 0


def test_small_surprises_that_last_are_abnormal_too() -> None:
    z = calm(600)
    z[560:, 2, 1] += 2.0
    said = watched(z)
    assert not said[559].abnormal.any()
    assert said[-1].abnormal.tolist() == [False, False, True, False, False, False]
    assert 560 <= said[-1].onset[2] < 590


def test_many_weak_surprises_are_as_much_as_a_strong_one() -> None:
    z = calm(600)
    z[-3:, 2] = 4.0
    one = calm(600)
    one[-3:, 2, 0] = 4.0
    assert watched(z)[-1].score[2] > watched(one)[-1].score[2]


def test_what_helps_is_no_evidence_and_what_may_hurt_both_ways_is() -> None:
    z = calm(600)
    z[-1, 1, 0], z[-1, 4, 2] = -9.0, -9.0
    last = watched(z)[-1]
    assert last.abnormal.tolist() == [False, False, False, False, True, False]
    assert last.surprise[1, 0] == -9.0
    assert last.surprise[4, 2] == 9.0


def test_a_low_value_harms_where_low_hurts() -> None:
    z = calm(600)
    z[-1, 3, 0] = -9.0
    last = watched(z, Evidence("default", TARGETS, -HARM))[-1]
    assert last.abnormal.tolist() == [False, False, False, True, False, False]


def test_surprises_that_a_server_shows_again_and_again_are_worth_less_on_it() -> None:
    z = calm(3000)
    z[::50, 5, 0] = 7.0
    z[2950, 1, 0] = 7.0
    said = watched(z)
    assert said[50].abnormal[5]
    assert said[2950].score[5] < said[2950].score[1] - 0.1
    assert said[2950].score[5] < said[500].score[5]


def test_an_incident_does_not_become_usual_while_it_lasts() -> None:
    z = calm(1000)
    z[600:, 0, 0] = 8.0
    assert all(verdict.abnormal[0] for verdict in watched(z)[600:])


def test_an_abnormal_server_is_released_when_the_evidence_has_faded() -> None:
    z = calm(700)
    z[600:605, 0, 0] = 8.0
    said = watched(z)
    assert said[605].abnormal[0]
    assert not said[650].abnormal[0]
    assert said[650].onset[0] == -1


def test_few_of_a_healthy_fleet_are_called_abnormal() -> None:
    z = calm(2000, seed=3)
    share = np.mean([verdict.abnormal for verdict in watched(z)[200:]])
    assert share < 0.01


def test_of_short_steps_fewer_are_called_abnormal() -> None:
    z = calm(3000, seed=3)
    minutes = Evidence("default", TARGETS, HARM, EvidenceSettings(steps_per_day=1440))
    called = [np.sum([verdict.abnormal for verdict in said[1500:]]) for said in (watched(z), watched(z, minutes))]
    assert called[1] < called[0] / 2


@given(st.integers(1, 10**6), st.floats(1, 86_400))
def test_the_level_of_a_step_never_rises(steps: int, per_day: float) -> None:
    chosen = EvidenceSettings(steps_per_day=per_day)
    assert chosen.level_after(steps + 1) <= chosen.level_after(steps) <= chosen.level


def test_of_steps_of_five_minutes_the_level_is_what_it_says() -> None:
    assert EvidenceSettings().level_after(10**9) == EvidenceSettings().level


def test_autocorrelated_surprises_are_no_more_abnormal() -> None:
    noise, z = calm(3000, seed=4), np.zeros((3000, len(FLEET), len(TARGETS)))
    for i in range(1, 3000):
        z[i] = 0.9 * z[i - 1] + np.sqrt(1 - 0.81) * noise[i]
    assert np.mean([verdict.abnormal for verdict in watched(z)[1000:]]) < 0.01


def test_a_server_that_falls_silent_is_abnormal_and_in_the_end_forgotten() -> None:
    evidence = Evidence("default", TARGETS, HARM, EvidenceSettings(forget_steps=20))
    watched(calm(200), evidence)
    rest = [evidence.observe(200 + i, FLEET[:-1], calm(1, i)[0, :-1]) for i in range(21)]
    assert not rest[0].silent.any()
    assert rest[3].silent.tolist() == [False] * 5 + [True]
    assert rest[3].abnormal[5]
    assert rest[-1].servers == FLEET[:-1]


def test_a_server_that_reports_now_and_then_is_not_silent_when_it_pauses() -> None:
    evidence = Evidence("default", TARGETS, HARM)
    for step in range(300):
        last = evidence.observe(step, FLEET if step % 4 == 0 else FLEET[:-1], calm(1)[0, : 6 if step % 4 == 0 else 5])
    assert not last.silent.any()


def test_without_a_score_nothing_changes_for_a_target() -> None:
    z = calm(600)
    z[590:, 0] = np.nan
    last = watched(z)[-1]
    assert not last.abnormal.any()
    assert np.isnan(last.surprise[0]).all()


def test_a_movement_of_the_whole_fleet_of_usual_size_is_no_evidence() -> None:
    servers = tuple(f"s{i:02d}" for i in range(40))
    rng = np.random.default_rng(5)
    common = np.repeat(rng.normal(size=(800, 1, 1)) * 2.5, 40, axis=1)
    z = 0.5 * rng.normal(size=(800, 40, 1)) + common
    z[799] = 0.5 * rng.normal(size=(40, 1)) + 4.5
    z[799, 7] += 6
    evidence = Evidence("default", ("cpu_used_pct",), np.array([1.0]))
    last = [evidence.observe(i, servers, row) for i, row in enumerate(z)][-1]
    assert last.abnormal[7]
    assert last.abnormal.sum() <= 3


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(len(FLEET))))
def test_the_order_of_the_servers_does_not_matter(order: list[int]) -> None:
    z = calm(60)
    z[50:, 1] += 3
    plain, shuffled = Evidence("default", TARGETS, HARM), Evidence("default", TARGETS, HARM)
    names = tuple(FLEET[i] for i in order)
    for step, row in enumerate(z):
        one, other = plain.observe(step, FLEET, row), shuffled.observe(step, names, row[order])
    said = dict(zip(other.servers, other.score.tolist(), strict=True))
    assert [said[name] for name in one.servers] == pytest.approx(one.score.tolist(), rel=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 119))
def test_going_on_from_a_snapshot_is_as_if_nothing_had_happened(cut: int) -> None:
    z = calm(120)
    z[100:, 3] += 4
    whole = watched(z)[-1]
    before = Evidence("default", TARGETS, HARM)
    watched(z[:cut], before)
    after = Evidence("default", TARGETS, HARM).restore(before.snapshot())
    resumed = watched(z[cut:], after, first=cut)[-1]
    assert resumed.score.tolist() == whole.score.tolist()
    assert resumed.onset.tolist() == whole.onset.tolist()


def test_a_snapshot_does_not_change_with_what_comes_after_it() -> None:
    evidence = Evidence("default", TARGETS, HARM)
    watched(calm(30), evidence)
    kept = evidence.snapshot()
    copies = {name: array.copy() for name, array in kept.items()}
    watched(calm(30, seed=1) + 5, evidence, first=30)
    assert all(np.array_equal(kept[name], copies[name]) for name in kept)
