"""Followers: who will be drawn in, when, how likely; and what came of it."""

from dataclasses import replace

import numpy as np
import pytest
from cascade_fleet import STEP_SECONDS, verdict

from argus_cascade.domain.followers import Forecasts, Lags, expected
from argus_cascade.domain.followers.lags import LONGEST
from argus_cascade.domain.followers.settling import settled
from argus_cascade.domain.life.cascade import Cascade
from argus_cascade.domain.life.change import Follower, FollowerScore
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.view import View

PROFILES = {"db1": "database", "db2": "database", "web1": "web_api", "web2": "web_api", "web3": "web_api"}
TOPOLOGY = Topology.of([("web1", "db1"), ("web2", "db1"), ("web3", "db1")])


def view(step: int) -> View:
    return View(verdict(step, dict.fromkeys(PROFILES, 9.0)), STEP_SECONDS, PROFILES)


def cascade(*members: str, onset: int = 10, step: int = 10) -> Cascade:
    return Cascade.begun(dict.fromkeys(members, onset), 7.0, view(step), TOPOLOGY)


def test_before_anything_was_learned_one_dependent_in_three_follows_within_half_an_hour() -> None:
    (first, *others) = expected(cascade("db1"), view(10), TOPOLOGY, Lags())
    assert first == Follower("web1", 0.333, (300.0, 900.0, 1800.0))
    assert [one.server for one in others] == ["web2", "web3"]


def test_members_and_strangers_are_no_followers() -> None:
    found = expected(cascade("db1", "web1"), view(10), TOPOLOGY, Lags())
    assert [one.server for one in found] == ["web2", "web3"]


def test_who_has_not_followed_for_long_becomes_unlikely_and_is_not_named() -> None:
    likely = [expected(cascade("db1", step=step), view(step), TOPOLOGY, Lags()) for step in (10, 12, 16)]
    assert [found[0].probability if found else 0.0 for found in likely] == [0.333, 0.25, 0.0]


def test_lags_and_chances_are_learned_from_cascades_that_are_over() -> None:
    lags = Lags()
    for _ in range(30):
        lags.learn({"db1": 10, "web1": 12, "web2": 12}, PROFILES, TOPOLOGY)
    (first, *_others) = expected(cascade("db1"), view(10), TOPOLOGY, lags)
    assert first.probability == pytest.approx(2 / 3, abs=0.03)
    assert first.seconds == (600.0, 600.0, 600.0)
    assert lags.chances("web_api", "database").sum() == pytest.approx(1 / 3)


def test_trouble_before_its_upstream_is_no_lag() -> None:
    lags = Lags()
    lags.learn({"db1": 10, "web1": 5}, PROFILES, TOPOLOGY)
    assert lags.travels["database>web_api"].spared == 2.0
    assert sum(lags.travels["database>web_api"].followed) == 0


def test_a_lag_longer_than_all_counts_as_the_longest() -> None:
    lags = Lags()
    lags.learn({"db1": 10, "web1": 500}, PROFILES, TOPOLOGY)
    assert lags.travels["database>web_api"].followed[LONGEST] == 1.0


def test_who_depends_on_two_unwell_servers_is_likelier_to_follow() -> None:
    both = Topology.of([("web1", "db1"), ("web1", "db2")])
    (found,) = expected(cascade("db1", "db2"), view(10), both, Lags())
    assert found.probability == pytest.approx(1 - (2 / 3) ** 2, abs=0.01)
    assert np.all(np.diff(found.seconds) >= 0)


def test_who_joins_is_confirmed_and_the_rest_withdrawn_at_the_end() -> None:
    named = replace(cascade("db1"), followers=expected(cascade("db1"), view(10), TOPOLOGY, Lags()))
    named = replace(named, foretold={one.server: one.probability for one in named.followers})
    joined = replace(cascade("db1", "web1"), followers=named.followers, foretold=named.foretold)
    after, forecasts = settled(joined, expected(joined, view(11), TOPOLOGY, Lags()), Forecasts())
    assert {one.server: one.state for one in after.followers} == {
        "web1": "confirmed", "web2": "expected", "web3": "expected",
    }  # fmt: skip
    ended, forecasts = settled(after, (), forecasts)
    assert ended.record == FollowerScore(confirmed=1, withdrawn=2)
    assert forecasts.brier == pytest.approx(((1 - 0.333) ** 2 + 2 * 0.333**2) / 3, abs=1e-6)


def test_nothing_foretold_has_no_score() -> None:
    assert Forecasts().brier is None
