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
from argus_cascade.domain.grouping.recurring import BEYOND, WEEK_HOURS, WEEKS, Recurring
from argus_cascade.domain.topology import Topology

NOTHING = Topology({})
INDEPENDENT = np.zeros((2, len(LEVELS)))
CHAIN = Topology.of([("web1", "db1"), ("web2", "db1"), ("ml1", "web1")])
FLEET = [f"calm{number:03d}" for number in range(100)] + ["db1", "web1", "web2", "ml1"]


CALM = dict.fromkeys(FLEET, 0.2)
RESTLESS = {**CALM, **dict.fromkeys(FLEET[50:60], 2.0)}


def watched(topology: Topology, *steps: dict[str, float], usual: dict[str, float] = CALM) -> list[tuple[int, set[str]]]:
    """(step, members) of the groups that open."""
    grouping, found = Grouping(topology, STEP_SECONDS), []
    for step in range(50):
        grouping.observe(verdict(step, usual), [], {})
    for step, raised in enumerate(steps, start=50):
        grouped = grouping.observe(verdict(step, {**usual, **raised}), [], {})
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
    just = dict.fromkeys(FLEET[:12], 4.1)
    assert watched(NOTHING, dict.fromkeys(FLEET[:3], 4.1), usual=RESTLESS) == []
    assert watched(NOTHING, just, usual=RESTLESS) == [(50, set(just))]


def test_the_more_restless_the_fleet_the_more_it_takes() -> None:
    three = dict.fromkeys(("db1", "web1", "web2"), 6.1)
    assert watched(NOTHING, three, usual=RESTLESS) == []
    assert watched(NOTHING, three, usual=CALM) == [(50, set(three))]


def test_what_has_stood_out_for_longer_than_a_cascade_takes_does_not_fall_ill_now() -> None:
    two, three = dict.fromkeys(("db1", "web1"), 9.0), dict.fromkeys(("db1", "web1", "web2"), 20.0)
    assert watched(NOTHING, *[two] * 6, three) == [(56, set(three))]
    assert watched(NOTHING, *[two] * 30, three) == []


def test_two_groups_along_different_dependencies_stay_two() -> None:
    two = Topology.of([("web1", "db1"), ("calm002", "calm001")])
    raised = dict.fromkeys(("db1", "web1", "calm001", "calm002"), 10.0)
    assert watched(two, raised) == [(50, {"calm001", "calm002"}), (50, {"db1", "web1"})]


def test_where_much_of_the_fleet_stands_out_dependencies_say_nothing() -> None:
    star = Topology.of([(name, FLEET[i // 2]) for i, name in enumerate(FLEET) if i > 1])
    (group,) = watched(star, dict.fromkeys(FLEET[::3], 10.0))
    assert group[1] == set(FLEET[::3])


def test_what_the_same_servers_did_at_this_hour_of_another_week_is_no_cascade_again() -> None:
    grouping, backup, others = Grouping(NOTHING, 3600), FLEET[:20], FLEET[40:60]
    opened = []
    for step in range(4 * WEEK_HOURS):
        raised = (
            dict.fromkeys(others if step == 60 + 3 * WEEK_HOURS else backup, 6.5) if step % WEEK_HOURS == 60 else {}
        )
        if grouping.observe(verdict(step, {**dict.fromkeys(FLEET, 0.2), **raised}), [], {}).opening:
            opened.append(step)
    assert opened == [60, 60 + 3 * WEEK_HOURS]


def test_other_weeks_say_nothing_of_other_hours_or_other_servers() -> None:
    weekly = Recurring().observed(60, 7.0, ["web1", "web2"])
    assert [weekly.limit(WEEK_HOURS + hour, ["web1", "web2"]) for hour in (58, 59, 60, 61, 62)] == [0, 9, 9, 9, 0]
    assert weekly.limit(WEEK_HOURS + 60, ["web1", "db1", "db2"]) == 0.0


def test_of_an_hour_the_rarest_is_remembered() -> None:
    weekly = Recurring().observed(60, 7.0, ["web1"]).observed(60, 5.0, ["web1"]).observed(60, 8.0, ["web1"])
    assert weekly.limit(60 + WEEK_HOURS, ["web1"]) == 8.0 + BEYOND
    assert len(weekly.bunches) == 1


def test_a_week_is_forgotten_after_four() -> None:
    weekly = Recurring().observed(60, 7.0, ["web1"]).observed(60 + (WEEKS + 1) * WEEK_HOURS, 6.0, ["db1"])
    assert [one.hour for one in weekly.bunches] == [60 + (WEEKS + 1) * WEEK_HOURS]


def test_one_outlier_and_one_that_is_hardly_unusual_are_no_pair() -> None:
    chance = 10.0**-LEVELS
    strong, _ = linked(np.array([9, 9]), chance, servers=100, degree=2.0, fewest=2)
    mixed, _ = linked(np.array([9, 0]), chance, servers=100, degree=2.0, fewest=2)
    assert mixed == pytest.approx(4.0)
    assert strong > 50


def test_too_few_servers_have_no_rarity() -> None:
    assert anywhere(np.array([3, 3]), np.array([0, 1]), np.full((2, len(LEVELS)), 0.1), INDEPENDENT, fewest=3) == (
        0.0,
        0,
    )
    assert linked(np.array([3]), np.full(len(LEVELS), 0.1), servers=9, degree=1.0, fewest=2) == (0.0, 0)


def test_a_count_too_unlikely_for_a_float_still_has_its_rarity() -> None:
    mean = np.full(len(LEVELS), 1e-3)
    rarity, count = anywhere(np.full(200, 5), np.arange(200), mean, INDEPENDENT, fewest=3)
    assert count == 200
    assert 900 < rarity < 1000


def test_far_beyond_the_level_counts_but_one_far_beyond_it_does_not_carry_the_others() -> None:
    mean = np.maximum((LEVELS / LEVELS[0]) ** -3, 0.007)
    groups = np.zeros(3, np.int64)
    just, far, mixed = (
        anywhere(np.searchsorted(LEVELS, levels), groups, mean, INDEPENDENT, fewest=3)[0]
        for levels in ([6, 6, 6], [6, 17, 17], [3, 3, 100])
    )
    assert far > just + 1
    assert mixed < just


def test_peers_that_go_together_anyway_are_less_of_a_surprise_than_servers_that_do_not() -> None:
    mean = np.full(len(LEVELS), 1e-6)
    together = np.stack([np.full(len(LEVELS), 2.0), np.zeros(len(LEVELS))])
    levels = np.full(4, 3)
    peers_of_one, peers_of_none = (
        anywhere(levels, groups, mean, together, fewest=3)[0] for groups in (np.zeros(4, np.int64), np.arange(4))
    )
    assert peers_of_one == pytest.approx(peers_of_none - np.log10(3 * 5 * 7))


def test_a_higher_level_is_a_new_rise_of_the_same_episode() -> None:
    episodes = Episodes()
    for step, rarity in enumerate([3.5, 3.2, 6.5]):
        episodes.observe(step, ("a",), np.array([rarity]))
    assert (episodes.began.tolist(), episodes.risen.tolist(), episodes.level.tolist()) == ([0], [2], [3])


def test_a_server_that_is_forgotten_and_comes_back_begins_anew() -> None:
    episodes = Episodes()
    episodes.observe(0, ("a", "b"), np.array([5.0, 6.5]))
    episodes.observe(1, ("b",), np.array([6.0]))
    episodes.observe(2, ("b", "a"), np.array([6.0, 0.0]))
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
