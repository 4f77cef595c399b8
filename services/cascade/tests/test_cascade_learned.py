"""Dependencies that nobody wrote down, learned from past cascades; and what is known of profiles only."""

import pytest
from cascade_fleet import STEP_SECONDS, Fleet, verdict

from argus_cascade.domain.detector import CascadeDetector, DetectorSettings
from argus_cascade.domain.followers import Past, expected, taught_by
from argus_cascade.domain.followers.knowledge import Known, known
from argus_cascade.domain.grouping.joining import Newcomer, OpenCascade, home
from argus_cascade.domain.grouping.links import parts_by_profile, size_by_profile
from argus_cascade.domain.life.cascade import Cascade
from argus_cascade.domain.life.change import Changed, Opened
from argus_cascade.domain.origin.spread import reach
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.view import View

ROLES = {f"{name}{i:02d}": name for name, count in (("db", 10), ("web", 30), ("ml", 20)) for i in range(count)}
NOTHING = Topology({})
BY_PROFILE = Topology.of((), [("web", "app"), ("app", "db")])


def past(step: int, **onsets: int) -> Past:
    return Past(step, onsets, {server: onset + 1 for server, onset in onsets.items()})


def learned(*pasts: Past) -> Known:
    return known(pasts, NOTHING, ROLES, STEP_SECONDS, learn=True)


def edges(found: Known) -> set[tuple[str, str]]:
    return {(source, target) for source, targets in found.learned.upstream.items() for target in targets}


REPEATED = tuple(
    one
    for i in range(4)
    for one in (
        past(1000 * i, db00=0, web03=2, web04=3),
        past(1000 * i + 500, db01=0, web07=2, ml05=4),
    )
)


def test_a_pair_that_follows_again_and_again_is_learned_and_its_way_round() -> None:
    assert edges(learned(*REPEATED)) >= {("web03", "db00"), ("web04", "db00"), ("web07", "db01")}
    assert not {("db00", "web03"), ("db00", "web04"), ("db01", "web07")} & edges(learned(*REPEATED))


def test_what_happened_once_is_not_learned() -> None:
    assert edges(learned(*REPEATED[:2])) == set()


def test_a_server_that_is_in_every_cascade_follows_nobody() -> None:
    always = tuple(past(1000 * i, **{f"db{i:02d}": 0, "ml01": 2, f"web{i:02d}": 3}) for i in range(8))
    again = (*always, past(9000, db00=0, ml01=2, web20=4))
    assert not any("ml01" in pair for pair in edges(learned(*again)))


def test_pairs_in_either_order_are_no_dependency() -> None:
    mixed = tuple(past(1000 * i, db00=0, web03=2) if i % 2 else past(1000 * i, web03=0, db00=2) for i in range(6))
    others = tuple(past(10_000 + 1000 * i, db05=0, ml03=1) for i in range(6))
    both = {("web03", "db00"), ("db00", "web03")}
    assert not both & edges(learned(*mixed, *others))


def test_profiles_are_learned_where_their_servers_follow_each_other_though_no_pair_repeats() -> None:
    pasts = tuple(past(1000 * i, **{f"db{i:02d}": 0, f"web{3 * i:02d}": 2, f"web{3 * i + 1:02d}": 3}) for i in range(8))
    found = learned(*pasts)
    assert edges(found) == set()
    assert found.learned.profiles == {"web": frozenset({"db"})}


def test_learning_is_off_unless_asked_for() -> None:
    assert not known(REPEATED, NOTHING, ROLES, STEP_SECONDS, learn=False).topology


def test_what_was_told_is_not_taken_for_incomplete() -> None:
    told = Topology.of([("web03", "db09")])
    found = known(REPEATED, told, ROLES, STEP_SECONDS, learn=True).topology
    assert found.upstream["web03"] == {"db00", "db09"}
    assert found.knows("web03")
    assert not found.knows("web04")


def test_followers_are_named_by_what_was_learned_and_say_so() -> None:
    view = View(verdict(9000, dict.fromkeys(ROLES, 0.5)), STEP_SECONDS, ROLES)
    found = learned(*REPEATED)
    named = {one.server: one for one in expected(Cascade.begun({"db00": 9000}, 7.0, view, NOTHING), view, found)}
    assert {"web03", "web04"} <= named.keys()
    assert named["web03"].probability > 0.6
    assert named["web03"].reason == "followed db00 in 4 of 4 past cascades"
    assert taught_by(["db00", "web03"], found) == 4
    assert taught_by(["db00", "ml03"], found) == 0


def test_a_dependency_of_a_profile_says_less_the_more_servers_it_may_be() -> None:
    roles = {"db1": "db", **{f"web{i}": "web" for i in range(3)}}
    view = View(verdict(10, dict.fromkeys(roles, 0.5)), STEP_SECONDS, roles)
    topology = Topology.of((), [("web", "db")])
    one = known((), topology, roles, STEP_SECONDS, learn=False)
    many = known((), topology, {**roles, "db2": "db", "db3": "db"}, STEP_SECONDS, learn=False)
    begun = Cascade.begun({"db1": 10}, 7.0, view, NOTHING)
    assert [follower.server for follower in expected(begun, view, one)] == ["web0", "web1", "web2"]
    assert expected(begun, view, one)[0].reason == "web depends on db, and db1 is one"
    assert expected(begun, view, many) == ()


ROLES_OF_THREE = {"web1": "web", "web2": "web", "app1": "app", "db1": "db", "db2": "db", "ml1": "ml"}


def test_servers_hang_together_by_profile_only_with_an_upstream_that_fell_ill_no_later() -> None:
    topology = BY_PROFILE.with_roles(ROLES_OF_THREE)
    assert parts_by_profile({"db1": 1, "app1": 2, "web1": 3, "web2": 1, "ml1": 2}, topology) == [
        ["app1", "db1", "web1"]
    ]
    assert parts_by_profile({"db1": 3, "app1": 2, "ml1": 4}, topology) == []
    assert parts_by_profile({"db1": 3, "web1": 4}, topology) == []
    assert size_by_profile(topology) == (5, 1.6)


def test_servers_of_a_profile_may_depend_on_each_other_but_none_on_itself() -> None:
    replicas = Topology.of((), [("db", "db")]).with_roles(ROLES_OF_THREE)
    assert parts_by_profile({"db1": 1, "db2": 2}, replicas) == [["db1", "db2"]]
    assert parts_by_profile({"db1": 1}, replicas) == []


def test_a_server_joins_a_cascade_that_its_profile_has_to_do_with_only_if_it_is_rare() -> None:
    topology = BY_PROFILE.with_roles(ROLES_OF_THREE)
    open_now = [OpenCascade("one", {"db1": 10}, frozenset({"db1"}))]
    assert home(Newcomer("app1", 12, rare=True), open_now, topology, lag=6) == "one"
    assert home(Newcomer("app1", 12, rare=False), open_now, topology, lag=6) is None
    assert home(Newcomer("app1", 9, rare=True), open_now, topology, lag=6) is None
    assert home(Newcomer("web1", 12, rare=True), open_now, topology, lag=6) is None
    assert home(Newcomer("ml1", 12, rare=True), open_now, topology, lag=6) == "one"


def test_a_failure_may_reach_through_profiles_that_are_well() -> None:
    found = reach(["db1", "web1", "ml1"], BY_PROFILE.with_roles(ROLES_OF_THREE))
    assert found.tolist() == [[True, True, False], [False, True, False], [False, False, True]]


def told(fleet: Fleet, detector: CascadeDetector, roles: dict[str, str], steps: int) -> list[Changed]:
    return [
        change
        for one in fleet.verdicts(steps)
        for change in detector.observe(one, STEP_SECONDS, profiles=roles).changes
    ]


@pytest.mark.parametrize("learn", [False, True])
def test_a_failure_is_found_by_profiles_and_its_origin_is_upstream(learn: bool) -> None:
    fleet = Fleet(trouble={1: 150, 2: 152, 4: 153, 3: 154}, size=9.0)
    roles = {name: "db" if i < 2 else "web" if i < 15 else "ml" for i, name in enumerate(fleet.names)}
    detector = CascadeDetector(DetectorSettings(learn_topology=learn), Topology.of((), [("web", "db")]))
    opened, *_ = told(fleet, detector, roles, 180)
    assert isinstance(opened, Opened)
    assert opened.origins[0].server == "s0001"
    assert [member.server for member in opened.members][:1] == ["s0001"]


def test_a_snapshot_while_learning_has_the_same_future() -> None:
    fleet = Fleet(trouble={1: 150, 2: 152, 4: 153, 3: 154}, size=9.0, lasts=12)
    verdicts, settings = list(fleet.verdicts(200)), DetectorSettings(learn_topology=True)
    kept = CascadeDetector(settings, NOTHING)
    for one in verdicts[:190]:
        kept.observe(one, STEP_SECONDS)
    restored = CascadeDetector.restore(kept.snapshot(), settings, NOTHING)
    for one in verdicts[190:]:
        assert restored.observe(one, STEP_SECONDS) == kept.observe(one, STEP_SECONDS)
    assert restored.snapshot() == kept.snapshot()


def test_ten_thousand_servers_linked_by_profile_make_no_pairs() -> None:
    roles = {f"web{i}": "web" for i in range(8000)} | {f"db{i}": "db" for i in range(2000)}
    topology = Topology.of((), [("web", "db")]).with_roles(roles)
    servers, degree = size_by_profile(topology)
    assert (servers, degree) == (10_000, 3200.0)
    (part,) = parts_by_profile({name: i for i, name in enumerate(reversed(roles))}, topology)
    assert len(part) == 10_000
