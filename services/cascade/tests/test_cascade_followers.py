"""Followers: who will be drawn in, when, how likely; and what came of it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from cascade_fleet import STEP_SECONDS, verdict
from hypothesis import given
from hypothesis import strategies as st

from argus_cascade.domain.followers import Forecasts, Past, expected, remembered
from argus_cascade.domain.followers.followers import TELLING
from argus_cascade.domain.followers.knowledge import Known, known
from argus_cascade.domain.followers.past import MOST_CASCADES
from argus_cascade.domain.followers.reaching import Kind
from argus_cascade.domain.followers.settling import ended, settled
from argus_cascade.domain.followers.travel import LONGEST
from argus_cascade.domain.life.cascade import Cascade
from argus_cascade.domain.life.change import Follower, FollowerScore
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.view import View

WEBS = tuple(f"web{i}" for i in range(1, 4))
PROFILES = {"db1": "database", "db2": "database", **dict.fromkeys(WEBS, "web_api")}
TOPOLOGY = Topology.of((web, "db1") for web in WEBS)
TO_DATABASE = Kind("database", "web_api", known=True)


def view(step: int, rarity: Mapping[str, float] | None = None) -> View:
    return View(verdict(step, {**dict.fromkeys(PROFILES, 0.5), **(rarity or {})}), STEP_SECONDS, PROFILES)


def cascade(*members: str, onset: int = 10, step: int = 10) -> Cascade:
    return Cascade.begun(dict.fromkeys(members, onset), 7.0, view(step), TOPOLOGY)


def past(step: int, **onsets: int) -> Past:
    return Past(step, onsets, {server: onset + 1 for server, onset in onsets.items()})


def after(pasts: tuple[Past, ...], topology: Topology = TOPOLOGY, roles: Mapping[str, str] = PROFILES) -> Known:
    return known(pasts, topology, roles, STEP_SECONDS, learn=False)


def test_before_anything_was_learned_fewer_than_one_dependent_in_three_follow_where_nothing_stands_out() -> None:
    (first, *others) = expected(cascade("db1"), view(10), after(()))
    assert first == Follower("web1", 0.321, (300.0, 900.0, 1800.0), reason="depends on db1")
    assert [one.server for one in others] == ["web2", "web3"]


def test_members_strangers_and_members_of_other_cascades_are_no_followers() -> None:
    found = expected(cascade("db1", "web1"), view(10), after(()), taken={"web2"})
    assert [one.server for one in found] == ["web3"]


def test_without_dependencies_nobody_is_named() -> None:
    assert expected(cascade("db1"), view(10), after((past(0, db1=0, web1=2),) * 9, Topology({}))) == ()


def test_who_has_not_followed_for_long_becomes_unlikely_and_is_not_named() -> None:
    likely = [expected(cascade("db1", step=step), view(step), after(())) for step in (10, 12, 16)]
    first = [found[0].probability if found else 0.0 for found in likely]
    assert first[0] > first[1] > first[2] == 0.0


def test_who_begins_to_stand_out_is_likelier_to_follow_up_to_where_more_says_no_more() -> None:
    found = [
        {one.server: one.probability for one in expected(cascade("db1"), view(10, {"web2": rarity}), after(()))}
        for rarity in (0.5, 2.0, TELLING, 50.0)
    ]
    assert found[0]["web2"] < found[1]["web2"] < found[2]["web2"] == found[3]["web2"]
    assert {one["web1"] for one in found} == {0.321}


def test_lags_and_chances_are_learned_from_cascades_that_are_over() -> None:
    seen = after(tuple(past(1000 * i, db1=0, web1=1, web2=1) for i in range(30)))
    found = {one.server: one for one in expected(cascade("db1"), view(10), seen)}
    assert found["web1"].probability > 0.9
    assert found["web1"].seconds == (600.0, 600.0, 600.0)
    assert "web3" not in found
    assert seen.travel.rate(TO_DATABASE) == pytest.approx(2 / 3, abs=0.05)


def test_trouble_before_its_upstream_is_no_lag_and_no_chance() -> None:
    travel = after((past(0, web1=0, db1=5),)).travel
    assert travel.followed == {}
    assert travel.chances.kind[TO_DATABASE] == 2.0


def test_a_member_is_shared_out_over_those_that_it_may_have_followed() -> None:
    both = Topology.of([("web1", "db1"), ("web1", "db2")])
    seen = (*(past(10 * i, db1=0, web1=2) for i in range(6)), past(70, db1=0, db2=1, web1=2))
    travel = after(seen, both).travel
    assert travel.followed["db1", "web1"] > 6.0
    assert 0.0 < travel.followed["db2", "web1"] < 1.0


def test_a_lag_longer_than_all_is_no_following() -> None:
    assert after((past(0, db1=0, web1=LONGEST + 1),)).travel.followed == {}


def test_who_depends_on_two_unwell_servers_is_likelier_to_follow() -> None:
    both = Topology.of([("web1", "db1"), ("web1", "db2")])
    (one,) = expected(cascade("db1"), view(10), after((), both))
    (two,) = expected(cascade("db1", "db2"), view(10), after((), both))
    assert two.probability > one.probability + 0.1
    assert np.all(np.diff(two.seconds) >= 0)


def test_what_was_seen_long_ago_says_less() -> None:
    old = tuple(past(i, db1=0, web1=1) for i in range(5))
    fresh = after((*old, past(5, db1=0)))
    faded = after((*old, past(200 * 288, db1=0)))
    assert faded.travel.likely("db1", "web1", TO_DATABASE) < fresh.travel.likely("db1", "web1", TO_DATABASE)


def test_a_common_cause_teaches_nothing_and_memory_is_bounded() -> None:
    over = cascade("db1", "web1", "web2", "web3")
    assert remembered((), replace(over, kind="common_cause")) == ()
    pasts: tuple[Past, ...] = ()
    for _ in range(MOST_CASCADES + 5):
        pasts = remembered(pasts, replace(over, kind="propagating"))
    assert len(pasts) == MOST_CASCADES


@given(
    onsets=st.lists(
        st.dictionaries(st.sampled_from(sorted(PROFILES)), st.integers(0, 40), min_size=1), min_size=1, max_size=12
    )
)
def test_whatever_was_seen_chances_are_chances(onsets: list[dict[str, int]]) -> None:
    pasts = tuple(
        past(100 * i, **dict(sorted(one.items(), key=lambda item: (item[1], item[0])))) for i, one in enumerate(onsets)
    )
    travel = after(pasts).travel
    for web in WEBS:
        assert 0.0 < travel.likely("db1", web, TO_DATABASE) <= 1.0
    assert travel.lag(TO_DATABASE).sum() == pytest.approx(1.0)
    assert all(chances >= -1e-9 for chances in travel.chances.kind.values())
    assert sum(travel.followed.values()) <= sum(map(len, onsets))


def named(*members: str) -> Cascade:
    begun = cascade(*members)
    return settled(begun, expected(begun, view(10), after(())), Forecasts())[0]


def test_who_joins_is_confirmed_and_the_rest_withdrawn_at_the_end() -> None:
    before = named("db1")
    joined = replace(cascade("db1", "web1"), followers=before.followers, foretold=before.foretold)
    later, forecasts = settled(joined, expected(joined, view(11), after(())), Forecasts())
    assert {one.server: one.state for one in later.followers} == {
        "web1": "confirmed", "web2": "expected", "web3": "expected",
    }  # fmt: skip
    over, forecasts = ended(later, forecasts)
    assert {one.server: one.state for one in over.followers} == {
        "web1": "confirmed", "web2": "withdrawn", "web3": "withdrawn",
    }  # fmt: skip
    assert over.record == FollowerScore(confirmed=1, withdrawn=2)
    assert forecasts.brier == pytest.approx(((1 - 0.321) ** 2 + 2 * 0.321**2) / 3, abs=1e-6)


def test_a_forecast_that_was_withdrawn_and_named_again_is_scored_once_by_what_came() -> None:
    before = named("db1")
    withdrawn, forecasts = settled(before, (), Forecasts())
    assert {one.state for one in withdrawn.followers} == {"withdrawn"}
    assert forecasts.brier is None
    again, forecasts = settled(withdrawn, [Follower("web1", 0.9, (300.0, 300.0, 300.0))], forecasts)
    joined = replace(cascade("db1", "web1"), followers=again.followers, foretold=again.foretold)
    _, forecasts = ended(settled(joined, (), forecasts)[0], settled(joined, (), forecasts)[1])
    assert (forecasts.confirmed, forecasts.withdrawn) == (1, 2)
    assert forecasts.brier == pytest.approx(((1 - 0.321) ** 2 + 2 * 0.321**2) / 3, abs=1e-6)


def test_nothing_foretold_has_no_score() -> None:
    assert Forecasts().brier is None
