"""Grouping: when servers near each other in time are one cascade, and which."""

import numpy as np
import pytest
from cascade_fleet import STEP_SECONDS, verdict

from argus_cascade.domain.grouping import Grouping
from argus_cascade.domain.grouping.chance import anywhere, linked
from argus_cascade.domain.grouping.episodes import LEVELS, Episodes
from argus_cascade.domain.grouping.joining import Newcomer, OpenCascade, home, merging
from argus_cascade.domain.grouping.kind import kind_of
from argus_cascade.domain.grouping.links import parts, size
from argus_cascade.domain.grouping.ordinary import HOURS, OrdinaryWeeks
from argus_cascade.domain.topology import Topology

NOTHING = Topology({})
CHAIN = Topology.of([("web1", "db1"), ("web2", "db1"), ("ml1", "web1")])
FLEET = [f"calm{number:03d}" for number in range(100)] + ["db1", "web1", "web2", "ml1"]


def watched(topology: Topology, *steps: dict[str, float]) -> list[tuple[int, set[str]]]:
    """(step, members) of the groups that open."""
    grouping, found = Grouping(topology, STEP_SECONDS), []
    for step in range(50):
        grouping.observe(verdict(step, dict.fromkeys(FLEET, 0.2)), [])
    for step, raised in enumerate(steps, start=50):
        grouped = grouping.observe(verdict(step, {**dict.fromkeys(FLEET, 0.2), **raised}), [])
        found += [(step, set(group.onsets)) for group in grouped.opening]
    return found


def test_two_that_depend_on_each_other_are_a_cascade_at_the_second() -> None:
    assert watched(CHAIN, {"db1": 9.0}, {"db1": 9.0, "web1": 9.0}) == [(51, {"db1", "web1"})]


def test_two_that_do_not_are_none() -> None:
    assert watched(CHAIN, {"db1": 9.0}, {"db1": 9.0, "calm001": 9.0}) == []


def test_without_dependencies_three_are_needed() -> None:
    two = {"db1": 9.0, "web1": 9.0}
    assert watched(NOTHING, two, {**two, "web2": 9.0}) == [(51, {"db1", "web1", "web2"})]


def test_what_is_only_just_unusual_takes_more_servers() -> None:
    three = dict.fromkeys(("db1", "web1", "web2"), 4.1)
    assert watched(NOTHING, three) == []
    assert len(watched(NOTHING, dict.fromkeys(FLEET[:12], 4.1))) == 1


def test_two_groups_along_different_dependencies_stay_two() -> None:
    two = Topology.of([("web1", "db1"), ("calm002", "calm001")])
    raised = dict.fromkeys(("db1", "web1", "calm001", "calm002"), 10.0)
    assert watched(two, raised) == [(50, {"calm001", "calm002"}), (50, {"db1", "web1"})]


def test_where_much_of_the_fleet_stands_out_dependencies_say_nothing() -> None:
    star = Topology.of([(name, FLEET[i // 2]) for i, name in enumerate(FLEET) if i > 1])
    (group,) = watched(star, dict.fromkeys(FLEET[::3], 10.0))
    assert group[1] == set(FLEET[::3])


def test_what_happened_at_this_hour_of_another_week_is_no_cascade_again() -> None:
    grouping, week = Grouping(NOTHING, 3600), dict.fromkeys(FLEET[:20], 5.0)
    opened = []
    for step in range(3 * HOURS):
        raised = week if step % HOURS == 60 else {}
        if grouping.observe(verdict(step, {**dict.fromkeys(FLEET, 0.2), **raised}), []).opening:
            opened.append(step)
    assert opened == [60]


def test_other_weeks_say_nothing_of_other_hours() -> None:
    weeks = OrdinaryWeeks()
    weeks.observe(60, 7.0)
    assert [weeks.limit(HOURS + hour) for hour in (58, 59, 60, 61, 62)] == [0.0, 9.0, 9.0, 9.0, 0.0]


def test_a_week_is_forgotten_after_four() -> None:
    weeks = OrdinaryWeeks()
    weeks.observe(60, 7.0)
    weeks.observe(60 + 4 * HOURS, 0.0)
    assert weeks.limit(60 + 5 * HOURS) == 0.0


def test_one_outlier_and_one_that_is_hardly_unusual_are_no_pair() -> None:
    chance = 10.0**-LEVELS
    strong, _ = linked(np.array([9, 9]), chance, servers=100, degree=2.0, fewest=2)
    mixed, _ = linked(np.array([9, 0]), chance, servers=100, degree=2.0, fewest=2)
    assert mixed == pytest.approx(4.0)
    assert strong > 50


def test_too_few_servers_have_no_rarity() -> None:
    assert anywhere(np.array([3, 3]), np.full(len(LEVELS), 0.1), np.ones(len(LEVELS)), fewest=3) == (0.0, 0)
    assert linked(np.array([3]), np.full(len(LEVELS), 0.1), servers=9, degree=1.0, fewest=2) == (0.0, 0)


def test_a_count_too_unlikely_for_a_float_still_has_its_rarity() -> None:
    rarity, count = anywhere(np.full(200, 5), np.full(len(LEVELS), 1e-3), np.ones(len(LEVELS)), fewest=3)
    assert count == 200
    assert 900 < rarity < 1000


def test_episodes_are_counted_when_they_are_over_and_only_outside_cascades() -> None:
    episodes, everybody, in_cascade = Episodes(), np.array([True, True]), np.array([True, False])
    for step, rarity in enumerate([0.2, 5.5, 3.0, 9.0, 0.5]):
        episodes.observe(step, ("a", "b"), np.array([rarity, rarity]), everybody if step < 4 else in_cascade, fade=0.0)
    assert episodes.crossings.tolist() == [1.0] * 5 + [0.0] * (len(LEVELS) - 5)
    assert episodes.level.tolist() == [-1, -1]


def test_a_higher_level_is_a_new_rise_of_the_same_episode() -> None:
    episodes = Episodes()
    for step, rarity in enumerate([3.5, 3.2, 6.5]):
        episodes.observe(step, ("a",), np.array([rarity]), np.array([True]), fade=0.0)
    assert (episodes.began.tolist(), episodes.risen.tolist(), episodes.level.tolist()) == ([0], [2], [3])


def test_a_server_that_is_forgotten_and_comes_back_begins_anew() -> None:
    episodes, one, two = Episodes(), np.array([True]), np.array([True, True])
    episodes.observe(0, ("a", "b"), np.array([5.0, 6.5]), two, fade=0.0)
    episodes.observe(1, ("b",), np.array([6.0]), one, fade=0.0)
    episodes.observe(2, ("b", "a"), np.array([6.0, 0.0]), two, fade=0.0)
    assert episodes.level.tolist() == [3, -1]


@pytest.mark.parametrize(
    ("onsets", "topology", "kind"),
    [
        ({"db1": 0, "web1": 2, "web2": 5}, CHAIN, "propagating"),
        ({"db1": 0, "web1": 1, "web2": 1}, CHAIN, "propagating"),
        ({"db1": 0, "web1": 1, "web2": 1}, NOTHING, "common_cause"),
        ({"a": 4, "b": 4, "c": 4, "d": 5, "e": 9}, NOTHING, "common_cause"),
        ({"a": 0, "b": 3, "c": 4, "d": 9}, NOTHING, "propagating"),
        ({"a": 4, "b": 4}, NOTHING, "propagating"),
        ({"db1": 3, "web1": 2, "web2": 2}, CHAIN, "common_cause"),
    ],
)
def test_all_at_once_is_a_common_cause_unless_dependencies_explain_it(
    onsets: dict[str, int], topology: Topology, kind: str
) -> None:
    assert kind_of(onsets, topology) == kind


def test_parts_hang_together_in_either_direction() -> None:
    assert parts(["web1", "web2", "ml1", "db1"], CHAIN) == [["db1", "ml1", "web1", "web2"]]
    assert parts(["web2", "ml1", "web1"], CHAIN) == [["ml1", "web1"]]
    assert size(CHAIN) == (4, 1.5)


OLD = OpenCascade("old", {"db1": 10, "web1": 12}, frozenset({"db1", "web1"}))
NEW = OpenCascade("new", {"x": 14, "y": 15}, frozenset({"x", "y"}))


@pytest.mark.parametrize(
    ("newcomer", "where"),
    [
        (Newcomer("web2", 16, rare=False), "old"),
        (Newcomer("web2", 30, rare=True), None),
        (Newcomer("stranger", 16, rare=True), "new"),
        (Newcomer("stranger", 16, rare=False), None),
        (Newcomer("stranger", 40, rare=True), None),
    ],
)
def test_a_server_joins_whom_it_depends_on_and_else_the_youngest_near_in_time(
    newcomer: Newcomer, where: str | None
) -> None:
    assert home(newcomer, [OLD, NEW], CHAIN, lag=6) == where


def test_a_server_whose_dependencies_are_well_joins_nobody() -> None:
    elsewhere = Topology.of([("web7", "db7")])
    assert home(Newcomer("web7", 16, rare=True), [OLD, NEW], elsewhere, lag=6) is None


def test_a_cascade_that_began_with_what_depends_on_another_goes_up_in_it() -> None:
    topology = Topology.of([("x", "web1")])
    assert merging([OLD, NEW], topology) == [("new", "old")]
    assert merging([OLD, NEW], CHAIN) == []
    earlier = OpenCascade("new", {"x": 11, "y": 15}, frozenset({"x", "y"}))
    assert merging([OLD, earlier], topology) == []
